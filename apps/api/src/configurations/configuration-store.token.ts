/** Injection token of the one `ConfigurationStore`. */
export const CONFIGURATION_STORE = Symbol('ConfigurationStore');
