"""One batch of what was seen, as rows by table, with the numbers of the servers it names.

Apart from the writer, which commits it, and from the codec, which knows no numbers.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from crawler.model.crawl import Lead
from crawler.model.names import try_server_name
from crawler.model.observation import Ok, ServerObservation
from crawler.model.rooms import AliasAnswer, SpaceAnswer
from crawler.model.suppression import Suppressed
from crawler.store import codec_journal, codec_rooms
from crawler.store.codec import observation_row
from crawler.store.codec_rooms import Row
from crawler.store.numbers import ServerNumbers

Answered: TypeAlias = tuple[int, str]
"""Number of the server that answered, ID of the room that it answered for."""


class Batch:
    """The rows of one batch of a crawl.

    `participants` are the servers of a room as one server named them, (server that answered, room ID) -> numbers; they
    become rows last, when the writer has taken out what earlier batches hold already. `answers` gives the numbers of
    answers, those of earlier batches among them. `support_heard` are the servers that said whom to write to, or that
    they publish no such thing: what is kept of them from before is to go. `online` counts the servers seen online.

    What was forgotten on request (`suppressed`) is not added.
    """

    def __init__(
        self,
        crawl_id: int,
        numbers: ServerNumbers,
        visited_before: set[int],
        answers_before: Mapping[Answered, int],
        suppressed: Suppressed,
    ) -> None:
        self.rows: defaultdict[str, list[Row]] = defaultdict(list)
        self.visited: set[int] = set()
        self.support_heard: set[int] = set()
        self.participants: defaultdict[Answered, set[int]] = defaultdict(set)
        self.answers: dict[Answered, int] = {}
        self._crawl_id = crawl_id
        self._numbers = numbers
        self._visited_before = visited_before
        self._answers_before = answers_before
        self._suppressed = suppressed
        self.online = 0

    def add_observation(self, seen: ServerObservation) -> None:
        if self._suppressed.has_server(seen.server_name):
            return
        seen = self._suppressed.leave_out(seen)
        number = self._numbers.visited(seen.server_name)
        if number in self.visited or number in self._visited_before:
            raise ValueError(f"{seen.server_name.key} was visited before in crawl {self._crawl_id}")
        self.visited.add(number)
        self.online += seen.online
        row = observation_row(self._crawl_id, number, seen)
        # Each takes its columns: what it took to see the server, and what the server is.
        self.rows["visit"].append(row)
        self.rows["seen_server"].append(row)
        self.rows["attempt"].extend(codec_journal.attempt_rows(self._crawl_id, number, seen))
        self.rows["resolution_step"].extend(codec_journal.step_rows(self._crawl_id, number, seen))
        self.rows["endpoint"].extend(codec_journal.endpoint_rows(self._crawl_id, number, seen))
        self.rows["address_look"].extend(codec_journal.address_look_rows(self._crawl_id, number, seen))
        self.rows["seen_listing"].extend(codec_rooms.listing_rows(self._crawl_id, number, seen))
        networks = codec_rooms.unlisted_room_rows(self._crawl_id, number, seen.directory.network_rooms, "all_networks")
        self.rows["unlisted_room"].extend(networks)
        self.rows["support_contact"].extend(codec_journal.support_rows(self._crawl_id, number, seen))
        if isinstance(seen.support, Ok):
            self.support_heard.add(number)
        for answer in seen.aliases:
            self._add_answer(number, answer)

    def add_answer(self, owner: str, answer: AliasAnswer) -> None:
        """What the server of a key said of an alias outside its visit."""
        if not self._suppressed.has_key(owner):
            for left in self._suppressed.answers_left([answer]):
                self._add_answer(self._numbers.heard(owner), left)

    def _add_answer(self, named_by: int, answer: AliasAnswer) -> None:
        names = (try_server_name(text) for text in answer.servers)
        servers = {self._numbers.heard(name.key) for name in names if name is not None}
        self.participants[named_by, codec_rooms.stored_room_id(answer.room_id)] |= servers

    def add_space(self, owner: str, told: SpaceAnswer) -> None:
        """What the server of a key told of a space."""
        if not self._suppressed.has_key(owner):
            for left in self._suppressed.spaces_left([told]):
                self._add_space(self._numbers.heard(owner), left)

    def _add_space(self, named_by: int, told: SpaceAnswer) -> None:
        self.rows["seen_space"].append(codec_rooms.space_row(self._crawl_id, named_by, told))
        self.rows["space_child"].extend(codec_rooms.space_child_rows(self._crawl_id, named_by, told))
        self.rows["unlisted_room"].extend(codec_rooms.unlisted_room_rows(self._crawl_id, named_by, told.rooms, "space"))

    def add_lead(self, lead: Lead) -> None:
        names = filter(None, (lead.server, lead.named_by))
        if self._suppressed.servers and any(map(self._suppressed.has_key, names)):
            return
        self.rows["lead"].append(
            {
                "crawl_id": self._crawl_id,
                "server_id": self._numbers.heard(lead.server),
                "source": lead.source,
                "named_by": None if lead.named_by is None else self._numbers.heard(lead.named_by),
                "count": lead.count,
            }
        )

    def add_new_servers(self) -> None:
        self.rows["server"].extend(
            {
                "server_id": server.number,
                "server_key": server.key,
                "server_name": server.spelling,
                "first_crawl_id": self._crawl_id,
            }
            for server in self._numbers.new
        )

    def add_participation(self) -> None:
        for answered, servers in self.participants.items():
            answer_id = self._answers_before.get(answered)
            if answer_id is None:
                answer_id = self.answers[answered] = len(self._answers_before) + len(self.answers) + 1
                self.rows["seen_answer"].append(codec_rooms.answer_row(self._crawl_id, answer_id, *answered))
            self.rows["seen_participation"].extend(codec_rooms.participation_rows(self._crawl_id, answer_id, servers))
