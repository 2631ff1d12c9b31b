//! fast-django.
