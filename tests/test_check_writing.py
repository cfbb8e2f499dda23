"""Questions that somebody would type, and tokens as the model counts them."""

import pytest

from indexer import Encoder
from indexer.check_options import Options
from indexer.check_writing import _vague, estimated_tokens
from tests.conftest import CONTENT

VAGUE = """
FAQ 3
Question 12:
Miscellaneous
Other questions
General
VPN
Network
What is this?
How do I do that?
What should I do?
Why is it not working?
Information on remote work
About printing
Password policy
INC0012345 what to do?
4.2.1 How do I book a room?
How?
What is the problem?
Is it possible?
Can you help me please?
More info
Help!
Frequently asked questions about the VPN
Ordering
What do I need to consider before, during and after moving to another office in another building with my whole team?
What is the VPN? How do I use it?
Q: printing
What are the details?
Using the printer
Telephone numbers
"""
CLEAR = """
How do I reset my password?
My laptop is slow
Why is Teams slow?
VPN?
I cannot sign in
Can I take my laptop abroad?
What is hypercare, and when does it end?
Who is on call?
Where do I find the form for a new phone?
Is this e-mail phishing?
Do I need a VPN?
What does error 809 mean?
How long are backups kept?
Should we use ITIL or Agile?
Which browser must I use?
Why does Outlook ask for my password again and again?
When do I call the on-call engineer?
May I install software myself?
What is 2FA?
Are my files backed up?
How do I print?
Wi-Fi in the canteen?
How can I work from home?
What happens to my mail when I leave?
My screen is black, what now?
"""


@pytest.mark.parametrize("question", VAGUE.strip().splitlines())
def test_nobody_would_type_it(question: str) -> None:
    assert _vague(question, Options())


@pytest.mark.parametrize("question", CLEAR.strip().splitlines())
def test_somebody_would_type_it(question: str) -> None:
    assert _vague(question, Options()) is None


def test_tokens_are_estimated_within_a_fifth(encoder: Encoder) -> None:
    for path in sorted(CONTENT.rglob("*.md")):
        text = path.read_text("utf-8").split("---\n", 2)[2]
        assert estimated_tokens(text) == pytest.approx(encoder.count_tokens(text), rel=0.2), path
