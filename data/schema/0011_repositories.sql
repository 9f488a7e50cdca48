-- When the repositories of a list were worked on: which implementations have code that lives.

CREATE TABLE repository_activity (
    source_id INTEGER NOT NULL,
    repository VARCHAR NOT NULL,
    active_from DATE,
    active_until DATE
);
COMMENT ON TABLE repository_activity IS 'When the public repositories of a list of developers were active: days with a commit of a person within the 90 days that end with them, programs and what the origin of a fork has left out. Folders of a machine are not among them.';
COMMENT ON COLUMN repository_activity.source_id IS 'The import.';
COMMENT ON COLUMN repository_activity.repository IS 'Its https address, in lower case, without .git and a slash at its end.';
COMMENT ON COLUMN repository_activity.active_from IS 'First day of a stretch of such days, UTC: that of a commit; NULL, in the one row of a repository that was read and has no such commit.';
COMMENT ON COLUMN repository_activity.active_until IS 'First day past the stretch, unless there are commits that the import could not know of yet; NULL likewise.';
