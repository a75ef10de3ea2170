"""Private PostgreSQL and Redis for development and tests. Production never imports this.

One *keeper* process per server owns it. Every program that uses the server holds a shared file
lock for as long as it lives; the kernel lets go of it however the program ends, `kill -9`
included. When nobody holds the lock any more the keeper stops its server and leaves.
"""
