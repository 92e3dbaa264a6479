"""Is the archive what its name says? Checked on the stored file, with bounded memory, before any row is written.

`zip_framing` reads a ZIP's structure, `wheel` what a wheel must hold; `tar_walk` reads a tar's structure,
`sdist` what a source distribution must hold. Nothing is ever unpacked to disk.
"""
