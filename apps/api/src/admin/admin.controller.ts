import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import { readFileSync } from 'node:fs';
import { Audited } from '../access/audit/audited.js';
import { Needs } from '../access/needs.js';
import { ApiProblems } from '../http/openapi.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Backup } from './backup.js';
import { StatusDto } from './status.dto.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

@ApiTags('monitoring')
@Controller('api/v1/admin')
export class AdminController {
  constructor(
    private readonly backup: Backup,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  @Get('status')
  @Needs('server:read')
  @ApiOperation({ summary: 'Which version this is, since when it runs, and how long it keeps what' })
  @ApiOkResponse({ type: StatusDto })
  @ApiProblems(NO_PARAMETERS)
  getStatus(@Query() _query: NoQuery): StatusDto {
    return {
      version,
      started_at: new Date(performance.timeOrigin).toISOString(),
      retention_raw: this.config.rawRetention,
      retention_hourly: this.config.hourlyRetention,
    };
  }

  @Get('backup')
  @Needs('server:backup')
  @Audited('server.backup')
  @ApiOperation({
    summary: 'Backup: a consistent copy of the whole database, while everything else goes on',
    description: 'To restore it, stop the api, put the file in the place of `DATABASE_PATH`, and start the api.',
  })
  @ApiOkResponse({
    content: {
      'application/vnd.sqlite3': { schema: { type: 'string', format: 'binary' }, example: 'SQLite format 3\u0000…' },
    },
  })
  @ApiProblems({
    'backup-under-way': 'Another backup is under way; one at a time.',
    'disk-full': 'The disk of the server has no room for a copy of the database.',
  })
  async getBackup(): Promise<StreamableFile> {
    const { stream, size } = await this.backup.create();
    const name = `device-metrics-${new Date().toISOString().replaceAll(':', '-')}.db`;
    return new StreamableFile(stream, {
      type: 'application/vnd.sqlite3',
      disposition: `attachment; filename="${name}"`,
      length: size,
    });
  }
}
