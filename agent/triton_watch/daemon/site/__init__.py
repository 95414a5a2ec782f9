"""The pages that people look at: the same facts as the JSON API tells, in HTML. No asset comes from elsewhere.

`routes` is the way in. Each page is a function of a `Visit` in a module of its own, which gives a `Page`: a template
and what it says. `answers` makes an answer of it, `static` serves the style and the script.
"""
