import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional } from '@device-metrics/contract/openapi';
import {
  displayNameRule,
  MAX_DISPLAY_NAME,
  MAX_NOTES,
  MAX_TAGS,
  mergeRule,
  newNameRule,
  notesRule,
  tagsRule,
} from './device-rules.js';

/** What is to change; what is left out stays, and null takes away, as in JSON Merge Patch (RFC 7396). */
export class DeviceChangeDto {
  @ApiPropertyOptional({
    description:
      'Its new name, which no other device has, but with `merge`. Its history goes with it, and samples for the old name go on to it until another device ' +
      'is given that name.',
    type: String,
    example: 'lab-pc-2',
  })
  @Optional()
  @Obeys(newNameRule)
  device_name?: string;

  @ApiPropertyOptional({
    description:
      'Whether, where another device has that name, the two become one: it gets the whole history, and samples for the old name. ' +
      'Where both have a sample of a time, that of the other device stays; what is said of it counts. There is no way back.',
    example: true,
  })
  @Optional()
  @Obeys(mergeRule)
  merge?: boolean;

  @ApiPropertyOptional({
    description: 'What people call it; null for none.',
    nullable: true,
    type: String,
    maxLength: MAX_DISPLAY_NAME,
    example: 'Microscope PC',
  })
  @Optional()
  @Obeys(displayNameRule)
  display_name?: string | null;

  @ApiPropertyOptional({
    description: 'Any text; null for none.',
    nullable: true,
    type: String,
    maxLength: MAX_NOTES,
    example: 'New fan on 2026-01-10.',
  })
  @Optional()
  @Obeys(notesRule)
  notes?: string | null;

  @ApiPropertyOptional({
    description: `To find and group devices by, at most ${MAX_TAGS}; those that are left out stay, null removes one.`,
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    example: { room: 'lab', owner: null },
  })
  @Optional()
  @Obeys(tagsRule)
  tags?: Record<string, string | null>;
}
