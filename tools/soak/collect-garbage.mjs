import { setInterval } from 'node:timers';

/** Loaded into the api of a soak, which runs with --expose-gc. */
setInterval(() => globalThis.gc(), 1000).unref();
