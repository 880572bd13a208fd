export function freePort(): Promise<number>;
export function freeUdpPort(): Promise<number>;
