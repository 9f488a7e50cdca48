"""The charts, each one object that everything which shows it is made from.

- `chart`      what a chart is
- `series`     questions about metric rows, over time and of the newest census
- `events`     what happened meanwhile, marked on charts over time
- `published`  what others counted, beside the census
- `catalogue`  every chart by name
- `now`        the funnel and the implementations of the newest census
- `growth`     servers, rooms and memberships over time; `lasting`: who comes, goes and stays
- `software`, `decentralisation`, `bridges`, `signal`, `discovery`, `spec`, `developers`, `health`   the pages of these
  names; `finding`: the part of discovery that is about rooms already listed
"""
