"""A wallet of our own for development: its people, its agreements, its pages, its key.

It stands where a real eWallet stands and knows nothing of the Zone but its return addresses and
the door for notifications. Without ZONE_SANDBOX it has no addresses, and no connector reaches it.
"""
