"""What an operator sees: metrics, one line for each request, and traces.

    board        numbers in memory that all workers of a server share
    layout       which of them means what
    counting     what a request, a queue or a reload adds to them
    confidence   how sure the answers are, looked at a little later
    exposition   all of them as Prometheus reads them
    processes    what the processes use
    lines        log lines, for people or for programs
    requests     one such line for each request, or for some
    traces       ids that others gave, and spans where they are wanted

Kept empty: the supervisor of several workers imports the board, and must stay small.
"""
