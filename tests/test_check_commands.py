"""Commands in running text, and sentences that only have the words of one."""

import pytest

from indexer.check_commands import _commands
from indexer.library import _blanked

COMMANDS = r"""
Open a terminal and enter systemctl status sshd to see it.
Use Get-ADUser jdoe to find the account.
Clear the cache with ipconfig /flushdns, then try again.
Run gpupdate /force and restart.
Stop it with kill -9 4312.
On the server: journalctl -u nginx --since today
Do a sudo apt-get update first.
Check by ping 10.0.0.1 whether it answers.
Execute sfc /scannow as administrator.
chmod 755 the script, i.e. chmod 755 /opt/run.sh
Delete the folder by rm -rf /tmp/cache.
Map the drive: net use Z: \\files01\share
Type nslookup app.example.com
Look for the process using ps aux | grep nginx
Restart with docker restart web
Show pods with kubectl get pods -n desk
Then Set-ExecutionPolicy RemoteSigned is needed.
use dism /online /cleanup-image /restorehealth
Query it: reg query HKLM\Software\Desk
curl -I https://app.example.com shows the status.
Find large files with find /var -size +100M
Use tail -f /var/log/syslog while it happens.
Try telnet mail.example.com 25
nmap -p 443 app.example.com
Unlock via Unlock-ADAccount -Identity jdoe
Run chkdsk C: /f tonight
Start the service: sc start spooler
Enter w32tm /resync
Use git push origin main to publish.
Type cmd /c dir
"""
SENTENCES = r"""
Find -- if you can -- the owner.
The service restarts at night, and the top 10 users are told.
Kill time with reading; more - or less - of the same.
Set up the Read-Only account and the Stop-Gap solution.
Test-Drive the Start-Up guide.
We use Docker and Kubernetes on Linux hosts.
netstat and ss show only the host they run on.
Write to first.last@example.com or ping us in the chat.
Move the cat 6 cable to port 4/12.
The host app.example.com is down.
Copy and paste it, then make sure it works.
The date 2026-01-01 /  the time is wrong.
Run the installer from the software portal.
Enter the PIN, then type the code.
Sort by date, head to the office, less is more.
Costs $ 5 or 10 EUR; A > B.
Ask the on-call engineer; the service status page says so.
systemd-resolved answers; the systemctl manual explains it.
Do it yes/no, and/or ask the team; TCP/IP is set.
Use Format-Preserving encryption and Add-On cards.
Python and Java are installed; node 4 failed over.
Power off, wait, power on; then route the call.
A net gain of 5 %; net use was lower.
Set-Top boxes and Get-Well cards
Export - Import is in the menu File > Export.
the Where-Used list
Type A and type B diabetes; type -II errors
Service stop/start is at 22:00.
We write SQL by hand; mysql is the database, curl the library.
IP address and IP link aggregation
Run `ipconfig /all`, then ``ls -l``.
"""


@pytest.mark.parametrize("text", COMMANDS.strip().splitlines())
def test_a_command_is_seen(text: str) -> None:
    assert _commands(_blanked(text))


@pytest.mark.parametrize("text", SENTENCES.strip().splitlines())
def test_a_sentence_is_none(text: str) -> None:
    assert _commands(_blanked(text)) == []
