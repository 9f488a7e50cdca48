"""The census file and what is published from it. Blocking: call it in a thread.

Writing
- `writer`      the one writer: begin a crawl, record batches, seal
- `held`        the file that it holds, and what a crawl asks of it before and after
- `batch`       the rows of one batch
- `fold`        what a crawl saw, made into what is so from one crawl to another
- `intervals`   the kinds of that: what changes, and what was looked at
- `seal`        the end of a crawl: counted, folded, what is old let go
- `journal`     what was attempted, summarised and let go after a while
- `codec` `codec_journal` `codec_rooms`  what a visit found, attempted, and told of rooms, as rows; pure
- `caps`        how much of a remote text is kept
- `numbers`     the numbers of servers
- `schedule`    what crawls remember for those after them
- `insert`      many rows into a table, quickly
Looking after
- `rewrite`     a file written anew: compact, backup, restore
- `forget` `removal` `recount`  the right to vanish: what it is, what goes, and what past crawls counted without it
- `suppression` who was forgotten, as salted hashes
- `drain`       what waits in the inbox, taken in
Taking along
- `export` `anonymous`  a serving file as Parquet or CSV
- `importing`   such an export read back, of another vantage too
- `import_source` `import_maps`  what lies there, and how its numbers become ours
- `ask`         anybody's own question in SQL
Publishing and reading
- `publish`     census file -> draft
- `published`   which rows of it
- `draft`       steps add their tables to it -> serving file, swapped atomically
- `snapshot`    how it is cited
- `serving`     names, the pointer to the newest, how many are kept
- `reader` `server_detail` `histories`  the questions that readers ask a serving file
- `federation` `filters` `tally`  servers as known after a crawl; what lists are narrowed by; servers counted
- `difference`  what changed between two crawls
- `verify`      is a census file what it claims to be
- `answer`      rows of an answer as dataclasses
- `question`    SQL from known words and bound values
- `rows`        the shapes of the answers
- `crawls`      the crawl table, in both kinds of file; what `status` shows
Beside the files
- `status`      what the running crawl is at
- `inbox`       what other processes have to say to the writer; `submissions`: names of servers to be crawled
- `dictionary`  the data dictionary, generated from the schema's comments
Measuring
- `bench`       years of crawls, beside full daily copies
- `bench_world` `bench_questions`  the federation that is made up for it, and what is asked
Underneath
- `connection`  DuckDB behind one door
- `migrations`  from any older schema to this one, step by step
- `upgrade`     the same for a whole file, with its crawls folded
- `lock`        one writer, or readers
- `durable`     small files, replaced whole
- `clock`       the time of day
"""
