import { createReadStream } from 'node:fs';
import { Controller, Get, Header, Inject, Param, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import type { FastifyRequest } from 'fastify';
import { Needs } from '../access/needs.js';
import { CERTIFICATE, pinOf } from '../access/tls/tls-material.js';
import type { Certificate } from '../access/tls/certificate.js';
import { attachment } from '../http/attachment.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { joinScript } from './join-script.js';
import { packageDto, PackagesDto } from './packages.dto.js';
import { Packages } from './packages.js';

const NO_PACKAGE = { 'no-package': 'This api has no package of the collector.' };

/** What a PC needs to join that has nothing yet, and so no credential either. */
@ApiTags('access')
@Controller()
export class PackagesController {
  constructor(
    private readonly packages: Packages,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    @Inject(CERTIFICATE) private readonly certificate: Certificate | undefined,
  ) {}

  @Get('join.sh')
  @Needs('open')
  @Header('content-type', 'text/x-shellscript; charset=utf-8')
  @ApiOperation({
    summary: 'The script that makes a Linux PC a device: curl … | sh -s -- CODE',
    description: 'It has the checksums of the packages in it, and fetches nothing from anywhere else.',
  })
  @ApiOkResponse({ content: { 'text/x-shellscript': { schema: { type: 'string' }, example: '#!/bin/sh\n…' } } })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_PACKAGE })
  joinSh(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<string> {
    return this.script('join.sh', request);
  }

  @Get('join.ps1')
  @Needs('open')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'The script that makes a Windows PC a device; not tried yet' })
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' }, example: '# Makes this PC a device…' } } })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_PACKAGE })
  joinPs1(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<string> {
    return this.script('join.ps1', request);
  }

  @Get('api/v1/packages')
  @Needs('open')
  @ApiOperation({ summary: 'Packages of the collector that PCs may fetch here' })
  @ApiOkResponse({ type: PackagesDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<PackagesDto> {
    return { packages: (await this.packages.list()).map(packageDto) };
  }

  @Get('api/v1/packages/:name')
  @Needs('open')
  @ApiOperation({ summary: 'Fetch a package' })
  @ApiParam({ name: 'name', example: 'device-metrics-collector_0.1.0_linux_x64.tar.gz' })
  @ApiOkResponse({
    content: { 'application/gzip': { schema: { type: 'string', format: 'binary' }, example: '…' } },
  })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_PACKAGE })
  async fetch(@Param('name') name: string, @Query() _query: NoQuery): Promise<StreamableFile> {
    const { path, size } = await this.packages.find(name);
    const disposition = attachment(name);
    return new StreamableFile(createReadStream(path), { type: 'application/gzip', disposition, length: size });
  }

  private async script(name: 'join.sh' | 'join.ps1', request: FastifyRequest): Promise<string> {
    const packages = await this.packages.list();
    if (packages.length === 0) {
      throw new Problem(
        'no-package',
        'This api runs from its source and has no package of the collector: `npm run package` makes one, and PACKAGES_PATH ' +
          'names its folder.',
      );
    }
    const url = `${request.protocol}://${request.headers.host ?? ''}`;
    return joinScript(name, { url, packages, pin: this.pin(request) });
  }

  /** A certificate that was bought, or that a proxy shows, is known by its authority. */
  private pin({ socket }: FastifyRequest): string | undefined {
    return this.certificate && 'encrypted' in socket ? pinOf(this.certificate, this.config) : undefined;
  }
}
