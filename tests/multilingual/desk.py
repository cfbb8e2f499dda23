"""Articles of a German and a French service desk, and what is asked for each: mostly in other words than its own."""

from dataclasses import dataclass

from indexer.language import Code


@dataclass(frozen=True, slots=True)
class Asked:
    """An article, questions in its language that say it otherwise, and one in English."""

    title: str
    text: str
    own: tuple[str, ...]
    english: str


DESK: dict[Code, dict[str, Asked]] = {
    "de": {
        "kennwort": Asked(
            "Kennwort zurücksetzen",
            "Wer sein Kennwort nicht mehr weiß, setzt es auf der Anmeldeseite neu. Danach gilt es sofort.",
            ("Passwort vergessen", "Mein Zugang ist gesperrt, weil ich das Passwort falsch eingegeben habe"),
            "I forgot my password",
        ),
        "drucker": Asked(
            "Drucker druckt nicht",
            "Die Warteschlange anhalten, alle Aufträge löschen und den Dienst neu starten.",
            ("Ausdruck kommt nicht aus dem Gerät", "Papier bleibt leer beim Drucken im zweiten Stock"),
            "nothing comes out of the printer",
        ),
        "vpn": Asked(
            "VPN-Verbindung bricht ab",
            "Den Client beenden und neu starten. Bleibt es dabei, das Netz am Router prüfen.",
            ("Fernzugriff von zu Hause wird ständig getrennt", "Tunnel ins Firmennetz fällt immer wieder aus"),
            "remote access keeps disconnecting",
        ),
        "bildschirm": Asked(
            "Bildschirm bleibt schwarz",
            "Das Kabel auf beiden Seiten neu stecken und den Eingang am Gerät wählen.",
            ("Monitor zeigt kein Bild", "Anzeige ist dunkel nach dem Einschalten"),
            "no picture on the monitor",
        ),
        "postfach": Asked(
            "Postfach ist voll",
            "Große Anhänge löschen oder in das Archiv verschieben, dann kommt wieder neue Post an.",
            ("Kein Speicherplatz mehr für E-Mails", "Kann keine Nachrichten empfangen, Kontingent überschritten"),
            "mailbox quota exceeded",
        ),
        "laufwerk": Asked(
            "Netzlaufwerk fehlt",
            "Die Freigabe im Dateimanager neu verbinden. Der Buchstabe ist derselbe wie vorher.",
            ("Gemeinsamer Ordner ist nicht erreichbar", "Ich sehe die Dateien auf dem Server nicht mehr"),
            "shared folder cannot be reached",
        ),
        "langsam": Asked(
            "Rechner ist langsam",
            "Programme schließen, die viel Arbeitsspeicher brauchen, und danach neu starten.",
            ("Computer braucht sehr lange zum Starten", "Laptop reagiert träge, alles hängt"),
            "my computer is very slow",
        ),
        "tastatur": Asked(
            "Tastatur reagiert nicht",
            "Die Batterien wechseln oder das Kabel in einen anderen USB-Anschluss stecken.",
            ("Tasten gehen nicht, ich kann nichts schreiben", "Keine Eingabe von Zeichen möglich"),
            "keys do not work when I type",
        ),
        "wlan": Asked(
            "WLAN einrichten",
            "In den Netzwerkeinstellungen den Namen des Hauses wählen und das Zertifikat annehmen.",
            ("Wie verbinde ich mich mit dem Funknetz?", "Drahtlose Verbindung im Büro herstellen"),
            "connect to the wireless network",
        ),
        "zertifikat": Asked(
            "Zertifikat ist abgelaufen",
            "Ein neues Zertifikat im Portal anfordern und im Browser einspielen.",
            ("Warnung: Schlüssel der Seite ist nicht mehr gültig", "Sicherheitswarnung beim Öffnen der Webseite"),
            "the certificate has expired",
        ),
        "lizenz": Asked(
            "Programme bestellen",
            "Eine Lizenz wird im Katalog angefordert und vom Vorgesetzten genehmigt.",
            ("Ich brauche eine neue Anwendung auf meinem PC", "Software kaufen und installieren lassen"),
            "how do I order software",
        ),
        "sicherung": Asked(
            "Gelöschte Dateien wiederherstellen",
            "In der Sicherung der letzten dreißig Tage den Stand wählen und zurückholen.",
            ("Dokument aus Versehen entfernt, brauche das Backup", "Verlorene Daten zurückbekommen"),
            "restore a file that was deleted",
        ),
    },
    "fr": {
        "passe": Asked(
            "Réinitialiser le mot de passe",
            "Celui qui ne connaît plus son mot de passe en choisit un autre sur la page de connexion.",
            ("code d'accès oublié", "Mon compte est verrouillé après plusieurs échecs"),
            "I forgot my password",
        ),
        "imprimante": Asked(
            "L'imprimante n'imprime plus",
            "Arrêter la file d'attente, supprimer les tâches et redémarrer le service.",
            ("le papier ne sort pas de la machine", "impossible d'obtenir une impression au deuxième étage"),
            "nothing comes out of the printer",
        ),
        "vpn": Asked(
            "La connexion VPN est coupée",
            "Quitter le client et le relancer. Sinon vérifier le réseau sur le routeur.",
            ("l'accès à distance se déconnecte tout le temps", "le tunnel vers l'entreprise tombe en panne"),
            "remote access keeps disconnecting",
        ),
        "ecran": Asked(
            "L'écran reste noir",
            "Rebrancher le câble des deux côtés et choisir l'entrée de l'appareil.",
            ("moniteur sans image", "rien ne s'affiche après le démarrage"),
            "no picture on the monitor",
        ),
        "boite": Asked(
            "La boîte aux lettres est pleine",
            "Supprimer les grosses pièces jointes ou les déplacer vers l'archive.",
            ("plus d'espace pour mes courriels", "je ne reçois plus de messages, quota dépassé"),
            "mailbox quota exceeded",
        ),
        "partage": Asked(
            "Le lecteur réseau a disparu",
            "Reconnecter le partage dans le gestionnaire de fichiers avec la même lettre.",
            ("dossier commun inaccessible", "je ne vois plus les documents du serveur"),
            "shared folder cannot be reached",
        ),
        "lent": Asked(
            "L'ordinateur est lent",
            "Fermer les programmes qui utilisent beaucoup de mémoire, puis redémarrer.",
            ("le PC met longtemps à démarrer", "tout est bloqué, le portable ne répond pas vite"),
            "my computer is very slow",
        ),
        "clavier": Asked(
            "Le clavier ne répond pas",
            "Changer les piles ou brancher le câble sur un autre port USB.",
            ("les touches ne marchent pas", "impossible de saisir des caractères"),
            "keys do not work when I type",
        ),
        "wifi": Asked(
            "Configurer le Wi-Fi",
            "Choisir le nom de la maison dans les paramètres du réseau et accepter le certificat.",
            ("comment me connecter au réseau sans fil ?", "connexion sans câble au bureau"),
            "connect to the wireless network",
        ),
        "certificat": Asked(
            "Le certificat a expiré",
            "Demander un nouveau certificat sur le portail et l'importer dans le navigateur.",
            ("avertissement : la clé du site n'est plus valide", "alerte de sécurité à l'ouverture de la page web"),
            "the certificate has expired",
        ),
        "logiciel": Asked(
            "Commander un logiciel",
            "La licence est demandée dans le catalogue et approuvée par le responsable.",
            ("j'ai besoin d'une nouvelle application", "acheter un programme et le faire installer"),
            "how do I order software",
        ),
        "sauvegarde": Asked(
            "Restaurer des fichiers supprimés",
            "Choisir la version dans la sauvegarde des trente derniers jours et la récupérer.",
            ("document effacé par erreur", "récupérer des données perdues"),
            "restore a file that was deleted",
        ),
    },
}
