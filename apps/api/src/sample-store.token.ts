/** Injection token of the one `Store`; a caller who is limited to some devices sees no others in it. */
export const SAMPLE_STORE = Symbol('SampleStore');
