"""The numbers of servers: given once, taken back when the batch fails, and the spelling of the first visit."""

from crawler.model.names import parse_server_name
from crawler.store.numbers import NewServer, ServerNumbers


def test_numbers_go_on_where_the_file_ends() -> None:
    numbers = ServerNumbers([(3, "c.test", True), (7, "g.test", False)])
    assert numbers.heard("c.test") == 3
    assert numbers.heard("new.test") == 8
    assert numbers.visited(parse_server_name("New.test")) == 8
    assert numbers.heard("other.test") == 9
    assert numbers.new == (NewServer(8, "new.test", "New.test"), NewServer(9, "other.test", "other.test"))


def test_a_failed_batch_leaves_nothing() -> None:
    numbers = ServerNumbers([(1, "a.test", False)])
    numbers.heard("b.test")
    numbers.visited(parse_server_name("A.test"))
    assert numbers.respelled == {1: "A.test"}
    numbers.forget()
    assert (numbers.new, numbers.respelled) == ((), {})
    assert numbers.heard("z.test") == 2


def test_the_first_visit_spells_the_name_and_no_later_one() -> None:
    numbers = ServerNumbers([])
    numbers.heard("a.test")
    numbers.keep([])
    number = numbers.visited(parse_server_name("A.Test"))
    assert numbers.respelled == {number: "A.Test"}
    numbers.keep([number])
    numbers.visited(parse_server_name("a.TEST"))
    assert numbers.respelled == {}


def test_a_visited_server_of_the_file_keeps_its_spelling() -> None:
    numbers = ServerNumbers([(1, "a.test", True)])
    numbers.visited(parse_server_name("A.test"))
    assert numbers.respelled == {}
