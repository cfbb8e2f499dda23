"""Commands in running text, where quotes and hyphens are changed in print and nobody sees where a command ends."""

import re
from collections.abc import Iterable, Iterator

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule, current
from indexer.library import Article, Library

# Programs that no other word is called by
_PROGRAMS = """
ipconfig ifconfig nslookup netstat systemctl journalctl timedatectl resolvectl hostnamectl chmod chown chkdsk sfc dism
gpupdate gpresult robocopy icacls takeown taskkill tasklist diskpart bcdedit certutil cmdkey wmic netsh tracert
traceroute apt-get apt dnf yum dpkg rpm kubectl docker podman helm terraform grep egrep findstr sed awk crontab rsync
scp sftp curl wget openssl psql mysql mysqldump sqlplus nmap tcpdump iptables nft ufw mkdir rmdir lsof fsck mkfs fdisk
lsblk vgs lvextend dmesg vmstat iostat ssh-keygen useradd usermod passwd regsvr32 schtasks msiexec winget choco pnputil
w32tm klist nltest repadmin vssadmin chronyc dig
""".split()
# Of these, such as somebody may run without typing a command
_PRODUCTS = "docker podman helm terraform mysql psql openssl winget choco curl nmap kubectl".split()
# Programs whose names are words, too: only with an option behind them
_WORDS = """
ping find kill killall cat rm cp mv ls ps top df du net nc host test sort tail head less more ssh date service mount
umount reboot shutdown tar zip git svn npm pip python java node make sh bash cmd sc reg at id env free renice nice ip
arp route telnet nbtstat query runas xcopy copy del echo set export cd ln touch watch
""".split()
_VERBS = """
Add Clear Close Compare Complete Connect Convert ConvertFrom ConvertTo Copy Debug Disable Disconnect Dismount Enable
Enter Exit Export Find Format Get Grant Group Import Initialize Install Invoke Join Measure Merge Mount Move New Out Pop
Push Read Receive Register Remove Rename Repair Reset Resize Resolve Restart Restore Resume Revoke Save Search Select
Send Set Show Sort Split Start Stop Submit Suspend Switch Sync Tee Test Trace Unblock Undo Uninstall Unlock Unregister
Update Use Wait Where Write
""".split()
# English with a verb before its hyphen
_ENGLISH = "Set-Up Start-Up Add-On Add-In Read-Only New-Hire Stop-Gap Get-Together Out-Of Use-Case Test-Drive".split()

_HUMPS = r"(?:[A-Z][a-z0-9]+[A-Z]|[A-Z]{2,})"
_APART = r"(?<![\w/.'’-])"
_OPTION = r"(?:--?[A-Za-z0-9][\w-]*|/[A-Za-z?]+\b(?!/))"
_PATH = r"(?:[~.]{0,2}/[\w./-]+|[A-Z]:\\\S*|\\\\\w\S*)"
_HOST = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[\w-]+\.[\w-]+\.[a-z]{2,}|\w+@[\w.-]+)"


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_SHELL = (
    r"sudo (?:-\w+ )?[a-z][\w.-]+[^.;,]*",
    rf"{_any(_PROGRAMS)}(?:\.exe)? (?:{_OPTION}|{_PATH}|{_HOST}|\d{{3,4}} |\")[^;,]*",
    rf"{_any(_WORDS)}(?:\.exe)? (?:--?[A-Za-z0-9][\w-]*|/[a-zA-Z?]\b(?!/))[^;,]*",
    rf"(?:ping|ssh|telnet|nc) {_HOST}",
    rf"(?:rm|cat|ls|cd|cp|mv|find|tail|head|less|touch|vi|vim|nano) {_PATH}",
    # what programs are told by a word
    r"systemctl (?:re)?(?:start|stop|status|load|enable|disable)\b(?: [\w-]+)?",
    r"docker (?:ps|logs|exec|restart|run|stop|inspect|pull)\b",
    r"kubectl (?:get|describe|logs|apply|delete|exec|rollout)\b",
    r"(?:apt|apt-get|dnf|yum|brew|winget|choco|pip|npm) (?:un)?(?:install|update|upgrade|remove|clean)\b",
    r"git (?:push|pull|commit|checkout|clone|rebase|reset|stash|fetch|merge) (?:-\S+|origin|HEAD)",
    r"net (?:use|user|stop|start|localgroup) (?=\S*[/\\:]|\w+ /|spooler\b)\S+",
    r"(?:sc (?:query|stop|start|config|delete)|netsh \w+|openssl|nmcli \w+|wmic \w+) \w+",
    r"ip (?:addr|address|link|route|neigh)(?: show| add| del)?(?=[ .,;]|$)",
    r"reg (?:add|query|delete) \S+\\\S*",
)
_COMMANDS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_APART}{_any(_SHELL)}",
        # PowerShell: a noun of several humps, or one with a parameter or a pipe behind it
        rf"\b(?!{_any(_ENGLISH)}){_any(_VERBS)}-(?:{_HUMPS}|[A-Z][a-z0-9]+(?= -[A-Z]| [\"'|$]))[^.;,]*",
        # a bare name, but told to be typed
        rf"(?i:\b(?:run|running|type|typing|enter|execute):?) [\"“']?(?!{_any(_PRODUCTS)}){_any(_PROGRAMS)}(?![\w-])",
        # prompts, pipes and redirections
        r"(?:^|\s)(?:\$|PS [A-Z]:\\[^>\n]{0,200}>|[A-Z]:\\[^>\s]*>) [a-zA-Z][\w.-]+",
        r"\| ?(?:grep|findstr|awk|sed|xargs|wc|(?:Select|Where|Format|Sort|ForEach|Out)-\w+)\b",
        r"(?:2>&1|>{1,2} ?/dev/null|&& (?:sudo|cd|systemctl)\b)",
    )
)


def _prose_command(article: Article, _library: Library, _options: Options) -> Iterator[Fault]:
    told: set[int] = set()
    for prose in article.prose:
        for start, command in _commands(prose.text):
            line = prose.line_at(start)
            if line not in told:
                told.add(line)
                shown = article.shown(command)[:40]
                remedy = "Put it between ` `, or into a fenced block on lines of its own"
                yield Fault(article.path, line, f"'{shown}' is a command in running text", remedy)


def _commands(text: str) -> list[tuple[int, str]]:
    found = [(match.start(), match[0].strip()) for pattern in _COMMANDS for match in pattern.finditer(text)]
    return sorted(found)


RULES = (
    Rule(
        "prose-command",
        "warning",
        "A shell or PowerShell command in running text, not in code.",
        Example("Run ipconfig /flushdns on the client.", "Run `ipconfig /flushdns` on the client."),
        current(_prose_command),
    ),
)
