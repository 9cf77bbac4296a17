"""What the public gets: the site, and releases.

`about`    the project as others cite it: title, authors, licence, version, address
`hosted`   a built page as it stands on the web
`site`     build/site/
`crate`    who made which file of a release from what
`archive`  build/release/VERSION/
"""
