//! Tables: CREATE TABLE, indexes, foreign keys.
