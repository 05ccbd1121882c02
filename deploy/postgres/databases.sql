-- Runs once, when the volume is new. The services make their tables themselves.
CREATE DATABASE products;
CREATE DATABASE notifications;
