"""What befalls queues, Redis, workers, providers and people, and where it is proven to do no harm.

Each test here runs on real servers, with the product's own processes, and verifies the books after.

    a worker dies before it asks, after the answer, before its commit      test_grant_faults
    a claim kills every worker that holds it                               test_poison
    a message is lost on its way into a worker, or comes twice             test_queue_faults
    Redis is full                                                          test_queue_faults
    Redis goes away for good                   test_grant_faults, test_pages_without_redis
    connections to Redis break, or fall silent and leave a worker deaf     test_mute_worker
    workers are restarted with calls in flight; two drain side by side     test_rolling_restart
    a reply is lost; one request comes fifty times; a key is used twice    test_lost_replies
    a wallet's voucher gateway loses replies and speaks by itself          test_wallet_faults
    a draw of ten thousand                                                 test_big_draw
    jobs are killed between and inside commits: bulk grants, draws, imports, rotations, corrections,
    expiry, segments                                    test_bulk_faults and its like
    PostgreSQL's connections lose requests and replies, and it crashes     test_ledger_crash

Elsewhere, because they need no processes: a provider that times out after it did what it was asked,
or answers another code (`tests/benefits/test_grants.py`); one that speaks twice, too early or out of
order (`test_provider_messages.py`); whatever happens at one instant (`tests/races`,
`tests/api/test_claims_race.py`).
"""
