/** Injection token of the one `MetadataStore`. */
export const METADATA_STORE = Symbol('MetadataStore');
