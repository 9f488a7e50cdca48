"""What is not crawled from servers. Each is recorded with its version and day (`store.outside`).

- `usage`            whether a usage report is the server's own
- `usage_file`       reports that another collector received
- `repositories`     lists of repositories
- `developers`       who wrote their commits, on which days
- `people`           which addresses are one person's, which a program's
- `developer_counts` how many that were on each day
- `spec`             releases of the specification, accepted proposals
- `git`              git as a subprocess that may do little
"""
