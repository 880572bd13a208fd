/** Injection token of the one `AccessStore`. */
export const ACCESS_STORE = Symbol('AccessStore');
