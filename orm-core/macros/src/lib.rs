//! Procedural macros of fast-django.
