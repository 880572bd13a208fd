/** Injection token of the one `AlertStore`. */
export const ALERT_STORE = Symbol('AlertStore');
