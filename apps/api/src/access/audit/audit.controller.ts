import { Readable } from 'node:stream';
import type { AccessStore } from '@device-metrics/storage';
import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@device-metrics/contract/openapi';
import { ApiProblems } from '../../http/openapi.js';
import { ACCESS_STORE } from '../access-store.js';
import { Needs } from '../needs.js';
import { AuditQuery } from './audit-query.dto.js';
import { AuditDto, auditEntryDto } from './audit.dto.js';

const PAGE = 500;

@ApiTags('access')
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(ACCESS_STORE) private readonly store: AccessStore) {}

  @Get()
  @Needs('audit:read')
  @ApiOperation({
    summary: 'Audit: who did what, and from where; the newest first',
    description: 'As `json` by pages; as `ndjson` all of it.',
  })
  @ApiOkResponse({
    content: {
      'application/json': { schema: { $ref: getSchemaPath(AuditDto) } },
      'application/x-ndjson': {
        schema: { type: 'string' },
        example:
          '{"id":17,"actor":"user anna","address":"192.0.2.7","action":"token.create","target":"telegraf","success":true,' +
          '"details":{},"at":"2026-01-15T10:00:00.000Z"}\n',
      },
    },
  })
  @ApiExtraModels(AuditDto)
  @ApiProblems({ 400: 'limit must be an integer from 1 to 1000, got "0"' })
  async read(@Query() { limit = '100', cursor, format }: AuditQuery): Promise<AuditDto | StreamableFile> {
    if (format === 'ndjson') {
      return new StreamableFile(Readable.from(this.lines(), { objectMode: false }), {
        type: 'application/x-ndjson',
        disposition: 'attachment; filename="audit.ndjson"',
      });
    }
    const entries = await this.store.audit.read(cursor === undefined ? Infinity : Number(cursor), Number(limit));
    const last = entries.length === Number(limit) ? entries.at(-1) : undefined;
    return { entries: entries.map(auditEntryDto), ...(last && { next_cursor: String(last.id) }) };
  }

  private async *lines(): AsyncIterable<string> {
    let before = Infinity;
    for (;;) {
      const entries = await this.store.audit.read(before, PAGE);
      const last = entries.at(-1);
      if (!last) return;
      yield entries.map((entry) => `${JSON.stringify(auditEntryDto(entry))}\n`).join('');
      before = last.id;
    }
  }
}
