"""Which incidents are of one flood: around a middle, whatever each says. The texts of two floods and of 200 others."""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from indexer import Encoder
from kb_service.demo import SAMPLE
from kb_service.floods import Flood, floods
from kb_service.incident import Incident, incident_of

# One fault each, as fourteen people report it: short description | description
VPN = """\
VPN says gateway refused my login | Since about nine. Password is right, mail in the browser takes it.
Can't get onto the company network from home | Client asks for user, thinks for a while, then "authentication failed".
remote access down?? | whole team at home gets kicked out at sign in
Office VPN: connection rejected by the server | Tried three times, restarted laptop and router. Nothing changed here.
vpn login fails for everyone in sales | At least nine of us. People in the office are fine.
I cannot work, tunnel does not come up | It worked yesterday. Now it stops at "negotiating" and says access denied.
home office: no VPN this morning | Colleague tells me it is the same for her.
VPN gateway vpn-gw-1 rejects all user sessions | Monitoring: 0 successful logins in 10 minutes, 312 failed.
"Your credentials were not accepted" when dialling in | My credentials are fine. Remote access client 6.2.
Unable to connect remotely, error at user authentication | Need the planning files for a meeting at eleven.
vpn broken again | nobody can log in, please fix
customer is waiting and I cannot dial in to the network | The VPN connection is refused after the second factor.
VPN client loops back to the login window | Enter password, approve on the phone, the window again. Four of us in Porto.
Working from home not possible, VPN will not let me in | Says the gateway has closed the connection.
"""
MAIL = """\
Outlook does not send anything any more | Everything stays in the outbox since half past eight.
no mails coming in today | Usually I have thirty by now. Nothing since I started.
email down for our department | Nobody in purchasing gets or sends mail.
Outlook shows "Trying to connect..." at the bottom | Restarted twice. Colleagues next to me see the same.
Customers say that their mails to us bounce | Two phoned already. Our address is right.
messages stuck in outbox | the little number on the outbox grows, 14 now
Mail on my phone is not updating | Last message is from 08:31. Wi-Fi and mobile data both tried.
Mail server not reachable? | I can neither send nor receive, webmail gives an error page.
Monitoring: mail queue on mail-edge-2 at 4,800 messages | No delivery for 12 minutes, inbound and outbound.
order confirmations do not go out to customers | The shop shows them as sent, but nobody receives any e-mail from us.
can't send e-mail to anybody | neither inside nor outside
Shared mailbox of the claims team is not getting new messages | We get about one a minute normally.
Exchange problem? Outlook disconnected all morning | the whole floor
is there something wrong with e-mail | sent my boss a test mail half an hour ago and he has not got it
"""
OTHERS = """\
Firewall rule for the new tool server is missing | Port 9443 from the engineering subnet is dropped.
Switch in the packing hall reboots by itself | Twice today, uptime shows 14 minutes.
DHCP scope of the warehouse VLAN is exhausted | New scanners get no address.
Guest portal shows a blank page | Visitors see nothing after accepting the terms.
Fibre link to building C has many CRC errors | Port te1/0/49, counters rise by 200 a minute.
Traceroute to the partner ends at our border | They moved to a new range yesterday.
Network socket B-214 is dead | Moved desk, the other socket works.
Proxy blocks the site of the tax office | Category "unknown". We need it for filing by Friday.
Bandwidth in Porto is used up at noon | Graph is flat at 200 Mbit/s from 12 to 13.
NTP source drifts on the core router | Stratum jumps to 16 at times.
Static route to the lab is gone after the maintenance | 10.44.0.0/16 cannot be reached from the CAD stations.
Multicast for the lobby screens does not pass the new switch | IGMP snooping?
MAC address of the new badge reader must be registered | 802.1X puts it into quarantine.
QoS: video rooms are jerky while backups run | Only in Leeds, between 10 and 11.
Load balancer says certificate chain incomplete on the test pool | Health checks fail for one member.
Reverse DNS of the new print server is wrong | Points to the old name.
Cable cut by the builders in the yard | Cameras 4 to 9 are dark.
My calendar shows meetings an hour early | Since I came back from Lisbon.
Recurring meeting cannot be cancelled | "You are not the organiser", but I am.
Out-of-office text still the one of last year | It goes to customers in two languages.
Signature picture is missing in replies | New mails have it.
Rule moves all newsletters into the bin | I did not make that rule.
Search in Outlook finds nothing older than May | Index says complete.
Cannot open the encrypted message of our lawyer | Asks for a certificate I do not have.
Contact of a former colleague keeps coming up | In the address suggestions.
Room Tejo cannot be booked for next week | It declines with no reason.
Poll in the team channel does not show results | Votes are there for the author only.
Recording of the town hall cannot be found | The link in the chat leads to an error.
Shared notebook asks for permission every morning | Also in the browser.
Attachment of 40 MB is refused | Limit is 25 MB, what now?
Spam score of the supplier's newsletter too high | Lands in quarantine.
Forklift terminal has a cracked screen | Touch works on the left half only.
Coffee machine app charges twice | Badge system shows two entries.
Standing desk does not go up | Error E05 on its display.
ERP: cost centre 4711 is locked for postings | Month end is tomorrow.
Invoice layout prints the old logo | Since the template change of Monday.
CRM report of open offers is empty | Filter by region gives zero.
Travel expenses: exchange rate of the day is missing | For NOK.
CAD drawing opens with missing fonts | Text shows as squares.
The scanner in the archive feeds two sheets at once | Rollers cleaned already.
Time terminal shows yesterday's date | Gate 3.
Smart card reader is not found after docking | Works at the front USB port.
Webshop product pictures are shown rotated | Only those from the new camera.
The e-learning course does not save my progress | Module 3 of fire safety.
Parking barrier does not read my badge | The door reader does.
Air conditioning alarm in server room 2 | 29 degrees, door was open.
Database index rebuild job runs longer than its window | Ended at 07:40 instead of 05:00.
License for the PDF editor has run out | Ten users in legal.
Translation memory server is slow when saving segments | Since the import of the Finnish files.
Power supply of SAN shelf 3 failed | Redundant one carries the load.
Ticket tool shows old name after my marriage | HR has the new one.
Chat history with the supplier has vanished | Since the client was reinstalled.
Dictation software does not know medical terms | Dictionary add-on is missing.
Video wall in the control room shows no signal on panel 6 | Others fine.
Payroll: car allowance calculated twice | Two persons, both started in the middle of a month.
Wrong VAT rate on orders to Ireland | New tax code not in the shop.
Barcode of new articles is rejected at goods in | EAN-13 with leading zero.
The intranet news are in German for me | Language setting is English.
Fonts tiny after connecting to the 4K screen | Scaling is at 100 %.
Fire alarm panel reports a fault to the wrong pager | Test alarm of Wednesday.
Plant calendar of the planning tool ignores the bank holiday | Orders were planned for it.
Customs declaration software asks for a dongle | New PC has no such port.
Scale in the laboratory sends grams instead of kilograms | To the recipe system.
Warehouse map shows aisle 12 twice | After the rebuild of the hall.
Thermometer app of the cold store has no values since six | Sensor gateway is green.
Quality photos of the night shift are blurred | Camera over belt 2.
Robot cell: tool change takes a minute longer | Nothing in its log.
Supplier rating list cannot be exported to a spreadsheet | The button is grey.
Pool car booking shows all cars as taken | Also next month.
"""
# Of the sample's own floods, and second reports of a fault that another one of the sample tells of already
_FLOODS = {f"INC00{number}" for number in (*range(20035, 20049), *range(20092, 20120))}
_TOLD_ALREADY = {
    *"INC0010046 INC0010070 INC0010095 INC0010150 INC0020084 INC0020089 CS0004020".split(),
    # A reader of these in a flood of that service would count them in
    *"INC0010145 INC0010148".split(),
}


def reports(text: str) -> list[tuple[str, str]]:
    """Short description and description of each line."""
    lines = (line.partition("|") for line in text.splitlines())
    return [(short.strip(), long.strip()) for short, _, long in lines]


def others(many: int = 200) -> list[tuple[str, str, str]]:
    """Distinct incidents: short description, description, service. Of the sample one for each article or problem."""
    return [*((short, long, "workplace") for short, long in reports(OTHERS)), *_distinct()][:many]


def _distinct() -> Iterator[tuple[str, str, str]]:
    told: set[str] = set()
    for line in SAMPLE.read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["kind"] in {"problem", "major_incident"} or one["number"] in _FLOODS | _TOLD_ALREADY:
            continue
        fault = one.get("problem_id") or next((article["article"] for article in one.get("articles") or []), None)
        if fault is None or fault not in told:
            told.add(str(fault))
            yield one["short_description"], one.get("description", ""), one.get("service") or "workplace"


def incidents(count: int, **fields: str) -> list[Incident]:
    return [incident_of({"number": f"INC{n:03}", "short_description": "x", **fields}) for n in range(count)]


def around(middle: int, count: int, spread: float, seed: int = 0) -> np.ndarray:
    """Unit vectors around an axis: their inner product with it is about 1 / sqrt(1 + spread²)."""
    noise = np.random.default_rng(seed + middle).normal(size=(count, 64)).astype(np.float32)
    noise[:, middle] = 0
    noise *= spread / np.linalg.norm(noise, axis=1, keepdims=True)
    noise[:, middle] = 1
    found: np.ndarray = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return found


def found(flood: Flood) -> list[str]:
    return [one.number for one in flood.incidents]


def test_reports_are_gathered_around_their_middle_and_others_are_not() -> None:
    """Any two of the flood are less alike than each is to their middle."""
    vectors = np.vstack([around(0, 12, 0.9), around(1, 4, 0.5), *(around(10 + n, 1, 0.1) for n in range(20))])
    assert float(np.median(vectors[:12] @ vectors[:12].T)) < float(np.min(vectors[:12, 0]))
    larger, smaller = floods(incidents(36), vectors)
    assert found(larger) == [f"INC{n:03}" for n in range(12)]
    assert found(smaller) == [f"INC{n:03}" for n in range(12, 16)]
    assert float(larger.middle[0]) > 0.9


def test_none_is_in_two_floods_and_too_few_are_none() -> None:
    assert floods(incidents(2), around(0, 2, 0.1)) == []
    assert floods([], np.zeros((0, 64), np.float32)) == []
    vectors = np.vstack([around(0, 8, 0.6), around(0, 8, 0.6, seed=9), around(1, 8, 0.6)])
    numbers = [number for flood in floods(incidents(24), vectors) for number in found(flood)]
    assert len(numbers) == len(set(numbers))


def test_the_same_service_or_item_brings_two_nearer() -> None:
    vectors = around(0, 10, 1.35, seed=3)
    without = max((len(one.incidents) for one in floods(incidents(10), vectors)), default=0)
    same_service = floods(incidents(10, service="vpn"), vectors)
    same_item = floods(incidents(10, service="vpn", cmdb_ci="gw-1"), vectors)
    assert without < len(same_service[0].incidents) <= len(same_item[0].incidents)
    assert same_service[0].services == {"vpn"}


def at(likeness: float) -> np.ndarray:
    """A vector of this inner product with the first axis."""
    vector = np.zeros(64, np.float32)
    vector[40], vector[0] = np.sqrt(1 - likeness**2), likeness
    return vector


def test_a_report_at_the_edge_belongs_to_it_and_one_of_another_service_does_not() -> None:
    (flood,) = floods(incidents(8, service="VPN"), around(0, 8, 0.1))
    assert [flood.near(at(0.48), service) for service in ("vpn", None, "mail")] == [True, False, False]
    assert [flood.near(at(0.57), service) for service in ("vpn", None, "mail")] == [True, True, False]
    assert flood.near(at(0.7), "mail")
    (without,) = floods(incidents(8), around(0, 8, 0.1))
    assert without.near(at(0.57), "mail")


def test_the_order_of_the_records_does_not_matter() -> None:
    vectors = np.vstack([around(0, 10, 0.8), around(1, 6, 0.8), around(2, 5, 0.8)])
    every = incidents(21)
    turned = [*reversed(range(21))]
    there = [set(found(one)) for one in floods(every, vectors)]
    assert [set(found(one)) for one in floods([every[n] for n in turned], vectors[turned])] == there


def test_real_reports_of_two_faults_are_two_floods(encoder: Encoder) -> None:
    every = [*reports(VPN), *reports(MAIL)]
    vectors = encoder.encode([f"{short}\n\n{long}" for short, long in every])
    services: Sequence[str] = ["network"] * 14 + ["email"] * 14
    records = [
        incident_of({"number": f"INC{n:03}", "short_description": short, "service": services[n]})
        for n, (short, _) in enumerate(every)
    ]
    both = floods(records, vectors)[:2]
    assert {frozenset(one.services) for one in both} == {frozenset({"network"}), frozenset({"email"})}
    assert all(len({one.service for one in flood.incidents}) == 1 for flood in both)
    assert all(len(flood.incidents) >= 10 for flood in both)
