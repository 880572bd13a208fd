import type { PipeTransform } from '@nestjs/common';

/** A name in an address, composed (NFC) as names are stored. */
export const composedName: PipeTransform<string, string> = { transform: (name) => name.normalize('NFC') };
