"""A whole Zone to look at: people, a year of purchases, a catalogue, claims, operators, a partner.

Everything goes through the rooms' own services, at the moment it belongs to: both clocks travel
from a year ago to now. The people and their purchases follow from one number, so two machines
seeded on the same day tell the same story; codes, keys and passwords are random each time.
"""
