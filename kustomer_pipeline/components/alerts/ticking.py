"""One tick: look, compare with what was told, tell what is news, remember.

Nothing that a channel has taken is told again: `Tick.cursor` has to be kept whenever it differs from the last one, also
when another channel failed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import dagster as dg

from .changes import Told, delivered, news, remember
from .conditions import condition_of, conditions
from .delivery import Deliver, DeliveryError
from .facts import Facts
from .looking import look
from .memory import Known, from_json, to_json
from .messages import messages
from .rules import Rule
from .watched import Watched

# Dagster gives a tick a minute. One delivery may take some seconds, so no other is begun after this time.
DELIVERY_SECONDS = 30.0


@dataclass
class Tick:
    """What came of one. `sent`: titles of messages. `failed`: by channel, why a message was not delivered."""

    cursor: str
    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: int = 0

    def __str__(self) -> str:
        sent = f"{len(self.sent)} messages sent" if self.sent else "nothing new to tell"
        waiting = f", {self.waiting} not delivered yet" if self.waiting else ""
        return f"{sent}{waiting}{''.join(f'. {why}' for why in self.failed.values())}"


def tick(
    instance: dg.DagsterInstance,
    syncs: Sequence[Watched],
    cursor: str | None,
    *,
    now: float,
    deliver: Deliver,
    dagster_url: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Tick:
    """Look at `syncs` and tell what is news. What is remembered of a sync or a channel that is gone is forgotten."""
    before = from_json(cursor)
    facts = look(instance, syncs, {name: known.facts for name, known in before.items()}, now)
    post = _Post(deliver, dagster_url, clock, until=clock() + DELIVERY_SECONDS)
    facts |= {sync.name: replace(facts[sync.name], mistakes=sync.mistakes) for sync in syncs}
    after = {}
    for sync in syncs:
        told = before[sync.name].told if sync.name in before else {}
        rules = {rule.channel: post.tell(sync.name, facts[sync.name], rule, told, now) for rule in sync.rules}
        after[sync.name] = Known(facts[sync.name], rules)
    return Tick(to_json(after), post.sent, post.failed, post.waiting)


@dataclass
class _Post:
    """Sends messages. A channel that has failed once is left alone until the next tick."""

    deliver: Deliver
    dagster_url: str | None
    clock: Callable[[], float]
    until: float
    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: int = 0

    def tell(
        self, sync: str, facts: Facts, rule: Rule, told: Mapping[str, Mapping[str, Told]], now: float
    ) -> dict[str, Told]:
        """Tell one channel what is news of one sync: what is remembered then."""
        known = conditions(facts, rule, now)
        wanted = {name: one for name, one in told.get(rule.channel, {}).items() if condition_of(name) in rule.when}
        memory = remember(wanted, known, now, checks_known=facts.checks is not None)
        for message, tells in messages(rule.channel, sync, list(news(memory, known)), self.dagster_url):
            if rule.channel in self.failed or self.clock() > self.until:
                self.waiting += 1
                continue
            try:
                self.deliver(message)
            except DeliveryError as error:
                self.failed[rule.channel] = str(error)
                self.waiting += 1
                continue
            self.sent.append(message.title)
            for one in tells:
                memory = delivered(memory, one)
        return memory
