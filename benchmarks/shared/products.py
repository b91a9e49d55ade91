"""Speed of one core for matrix products: the floor for work that consists mostly of them."""

import time

import numpy as np
from threadpoolctl import threadpool_limits

SIZE, TIMES = 1024, 20


def rate():
    """Operations per second, including additions, of one core in a large product in single precision; prints it."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), dtype=np.float32)
    with threadpool_limits(1, user_api="blas"):
        times = []
        for _ in range(TIMES):
            started = time.perf_counter()
            a @ b
            times.append(time.perf_counter() - started)
    rate = 2 * SIZE**3 / min(times)
    print(f"  one core makes {rate / 1e9:.0f} GFLOP/s", flush=True)
    return rate
