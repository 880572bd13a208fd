/** Bytes of a request's body, after decompression. */
export const MAX_BODY = 8 * 1024 * 1024;

/** Bytes of one part of a path, still escaped: a device name of 128 characters may take 12 bytes for each. */
export const MAX_PATH_PART = 2048;
