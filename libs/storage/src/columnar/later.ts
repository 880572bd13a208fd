/** What a database that is asked in place gives at once, and one that is asked over a network gives later. */
export type Later<T> = T | Promise<T>;
