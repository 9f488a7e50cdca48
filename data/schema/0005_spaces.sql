-- Rooms beside the directories: what spaces hold, and the lists of third-party networks.

CREATE TABLE space_child (
    crawl_id INTEGER NOT NULL,
    space_id VARCHAR NOT NULL,
    child_id VARCHAR NOT NULL,
    named_by INTEGER NOT NULL
);
COMMENT ON TABLE space_child IS 'A room that a space names as its child: a claim of the space''s admins. At most one row for each crawl, space and child.';
COMMENT ON COLUMN space_child.crawl_id IS 'The crawl.';
COMMENT ON COLUMN space_child.space_id IS 'Room ID of the space.';
COMMENT ON COLUMN space_child.child_id IS 'Room ID of the child.';
COMMENT ON COLUMN space_child.named_by IS 'The server that told of the space.';

CREATE TABLE unlisted_room (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    room_id VARCHAR NOT NULL,
    found_by VARCHAR NOT NULL CHECK (found_by IN ('space', 'all_networks')),
    members INTEGER,
    name VARCHAR,
    topic VARCHAR,
    canonical_alias VARCHAR,
    join_rule VARCHAR,
    room_type VARCHAR,
    world_readable BOOLEAN,
    guest_can_join BOOLEAN
);
COMMENT ON TABLE unlisted_room IS 'A room as a server told of it otherwise than in its own directory; it may stand in a directory as well (listing). A room told of twice has two rows. Text is hostile: escape it where it is shown.';
COMMENT ON COLUMN unlisted_room.crawl_id IS 'The crawl.';
COMMENT ON COLUMN unlisted_room.server_id IS 'The server that told of it.';
COMMENT ON COLUMN unlisted_room.room_id IS 'Room ID.';
COMMENT ON COLUMN unlisted_room.found_by IS 'space: in the answer about a space. all_networks: only in the directory with include_all_networks, so in the list of a third-party network, which a bridge made.';
COMMENT ON COLUMN unlisted_room.members IS 'num_joined_members as told; NULL when absent, no whole number, or not between 0 and 2147483647.';
COMMENT ON COLUMN unlisted_room.name IS 'Room name, raw, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN unlisted_room.topic IS 'Topic, raw, at most 4096 characters; NULL when absent.';
COMMENT ON COLUMN unlisted_room.canonical_alias IS 'Canonical alias, as told, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN unlisted_room.join_rule IS 'Join rule, at most 255 characters; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN unlisted_room.room_type IS 'Room type, m.space for spaces, at most 255 characters; NULL for a plain room.';
COMMENT ON COLUMN unlisted_room.world_readable IS 'Whether history is readable by anybody; NULL when not said.';
COMMENT ON COLUMN unlisted_room.guest_can_join IS 'Whether guests may join; NULL when not said.';
