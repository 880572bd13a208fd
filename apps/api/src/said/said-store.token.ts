/** Injection token of the one `SaidStore`. */
export const SAID_STORE = Symbol('SaidStore');
