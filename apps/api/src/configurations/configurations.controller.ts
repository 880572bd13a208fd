import { quote, toRfc3339 } from '@device-metrics/contract';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import type { ConfigurationStore, StoredConfiguration } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Logger, Param, Post, Put, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Audit } from '../access/audit/audit.js';
import { Audited } from '../access/audit/audited.js';
import { ownOf } from '../access/collectors/join.controller.js';
import { Needs } from '../access/needs.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { invalidInput, Problem } from '../http/problem.js';
import { mistakesOf } from './check-text.js';
import { CONFIGURATION_STORE } from './configuration-store.token.js';
import { Configurations, type ConfiguredCollector } from './configurations.js';
import {
  CollectorConfigurationDto,
  ConfigurationAnswerDto,
  ConfigurationDto,
  ConfigurationHistoryDto,
  ConfigurationQuestionDto,
  ConfigurationsDto,
  ConfigurationVersionDto,
  ConfigurationWishDto,
  PreviewDto,
  PreviewWishDto,
  tagRule,
} from './configurations.dto.js';

const MOST_VERSIONS = 100;
const TAG = { name: 'tag', example: 'room=lab' };
const UNKNOWN = { 'unknown-configuration': 'There is no configuration for "room=lab".' };
const CHANGED = {
  'configuration-changed':
    'The configuration for "room=lab" has version 3 now, not 2: user anna has changed it meanwhile.',
};

/** What collectors read beside what their own files say, where these let the api have a say. */
@ApiTags('access')
@Controller('api/v1')
export class ConfigurationsController {
  private readonly log = new Logger('configurations');

  constructor(
    @Inject(CONFIGURATION_STORE) private readonly store: ConfigurationStore,
    private readonly configurations: Configurations,
    private readonly audit: Audit,
  ) {}

  @Get('configurations')
  @Needs('access:manage')
  @ApiOperation({ summary: 'What collectors are to read, by tag, and which of it each runs' })
  @ApiOkResponse({ type: ConfigurationsDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<ConfigurationsDto> {
    const [current, collectors] = await Promise.all([this.store.current(), this.configurations.collectors(Date.now())]);
    return { configurations: current.map(configurationDto), collectors: collectors.map(collectorDto) };
  }

  @Post('configurations/preview')
  @HttpCode(200)
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Preview: what a device would get, and what its collector would say of it',
    description: 'Nothing is written. `tag` and `text` are a draft in the place of what there is.',
  })
  @ApiOkResponse({ type: PreviewDto })
  @ApiProblems({
    ...BAD_BODY,
    400: 'text must be given with tag',
    'unknown-collector': 'There is no collector of "lab-pc-1".',
  })
  async preview(
    @Body() { device_name: name, tag, text }: PreviewWishDto,
    @Query() _query: NoQuery,
  ): Promise<PreviewDto> {
    const missing = tag === undefined ? 'tag' : 'text';
    if ((tag === undefined) !== (text === undefined)) {
      throw invalidInput([{ field: missing, reason: `must be given with ${missing === 'tag' ? 'text' : 'tag'}` }]);
    }
    const found = await this.configurations.preview(name, tag === undefined ? undefined : { tag, text: text ?? '' });
    if (!found) throw new Problem('unknown-collector', `There is no collector of ${quote(name)}.`);
    const { tags, version, allowancesKnown, errors } = found;
    return { tags: [...tags], text: found.text, version, allowances_known: allowancesKnown, errors: [...errors] };
  }

  @Get('configurations/:tag')
  @Needs('access:manage')
  @ApiOperation({ summary: 'The configuration of a tag, with its history' })
  @ApiParam(TAG)
  @ApiOkResponse({ type: ConfigurationHistoryDto })
  @ApiProblems({ ...NO_PARAMETERS, ...UNKNOWN })
  async read(@Param('tag') tag: string, @Query() _query: NoQuery): Promise<ConfigurationHistoryDto> {
    const history = await this.store.history(tag, MOST_VERSIONS);
    const [newest] = history;
    if (!newest) throw new Problem('unknown-configuration', `There is no configuration for ${quote(tag)}.`);
    return { ...configurationDto(newest), history: history.map(versionDto) };
  }

  @Get('configurations/:tag/versions/:version')
  @Needs('access:manage')
  @ApiOperation({ summary: 'A version of the configuration of a tag' })
  @ApiParam(TAG)
  @ApiParam({ name: 'version', example: '2' })
  @ApiOkResponse({ type: ConfigurationDto })
  @ApiProblems({
    ...NO_PARAMETERS,
    'unknown-configuration': 'There is no version "7" of the configuration for "room=lab".',
  })
  async version(
    @Param('tag') tag: string,
    @Param('version') version: string,
    @Query() _query: NoQuery,
  ): Promise<ConfigurationDto> {
    const found = /^[1-9]\d{0,14}$/.test(version) ? await this.store.find(tag, Number(version)) : undefined;
    if (found) return configurationDto(found);
    const what = `There is no version ${quote(version)} of the configuration for ${quote(tag)}.`;
    throw new Problem('unknown-configuration', what);
  }

  @Put('configurations/:tag')
  @Needs('access:manage')
  @Audited('configuration.change')
  @ApiOperation({
    summary: 'Write what collectors read whose devices have a tag',
    description:
      'It is checked by the rules of the collector before; `errors` names each mistake by its path. Collectors with `remote` in ' +
      'their own file ask each minute, and take it where their PC allows it. Secrets stand in it as `${NAME}`, which the PC fills in.',
  })
  @ApiParam(TAG)
  @ApiOkResponse({ type: ConfigurationDto })
  @ApiProblems({ ...BAD_BODY, 400: 'third_party[0].host is missing; it must be text', ...CHANGED })
  async write(
    @Param('tag') tag: string,
    @Body() { text, version }: ConfigurationWishDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<ConfigurationDto> {
    const wrongTag = tagRule(tag);
    if (wrongTag !== undefined) throw invalidInput([{ field: 'tag', reason: wrongTag }]);
    const errors = await mistakesOf(text);
    if (errors.length > 0) throw invalidInput(errors);
    return configurationDto(await this.add(tag, text, version, request));
  }

  @Delete('configurations/:tag')
  @HttpCode(204)
  @Needs('access:manage')
  @Audited('configuration.delete')
  @ApiOperation({ summary: 'Take away the configuration of a tag', description: 'Its history stays.' })
  @ApiParam(TAG)
  @ApiNoContentResponse({ description: 'It is gone.' })
  @ApiProblems({ ...NO_PARAMETERS, ...UNKNOWN, ...CHANGED })
  async remove(@Param('tag') tag: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const [newest] = await this.store.history(tag, 1);
    if (!newest || newest.text === null) {
      throw new Problem('unknown-configuration', `There is no configuration for ${quote(tag)}.`);
    }
    await this.add(tag, null, newest.version, request);
  }

  @Post('collectors/self/configuration')
  @HttpCode(200)
  @Needs('collector:self')
  @ApiOperation({
    summary: 'Ask for the configuration of the collector that asks, and say which it runs and which it has refused',
    description:
      'Asked by collectors with `remote` in their own file. The text is left out where the collector runs just this.',
  })
  @ApiOkResponse({ type: ConfigurationAnswerDto })
  @ApiProblems({ ...BAD_BODY, 400: 'running must be a string of at most 64 printable characters, got 7' })
  async ask(
    @Body() { running, refused = '', reason = '', commands, secrets }: ConfigurationQuestionDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<ConfigurationAnswerDto> {
    const collector = ownOf(request);
    const news = { running, refused, reason, allows: { commands, secrets } };
    const { version, text, refuses } = await this.configurations.ask(collector, news, Date.now());
    if (refuses) {
      const { id, deviceName: target } = collector;
      await this.audit.note(request, {
        action: 'collector.configuration',
        target,
        success: false,
        details: { id, refused, reason },
      });
      this.log.warn(`The collector of ${target} refuses its configuration ${refused}: ${reason}`);
    }
    return { version, ...(version !== running && { text }) };
  }

  private async add(
    tag: string,
    text: string | null,
    based: number,
    { caller }: FastifyRequest,
  ): Promise<StoredConfiguration> {
    const [newest] = await this.store.history(tag, 1);
    const next = { tag, version: based + 1, text, changedAt: Date.now(), changedBy: caller.name };
    if ((newest?.version ?? 0) === based && (await this.store.add(next))) return next;
    const [now] = await this.store.history(tag, 1);
    const by = now ? `: ${now.changedBy} has changed it meanwhile` : '';
    throw new Problem(
      'configuration-changed',
      `The configuration for ${quote(tag)} has version ${now?.version ?? 0} now, not ${based}${by}.`,
    );
  }
}

const versionDto = ({ version, text, changedAt, changedBy }: StoredConfiguration): ConfigurationVersionDto => ({
  version,
  changed_at: toRfc3339(changedAt),
  changed_by: changedBy,
  removed: text === null,
});

const configurationDto = (configuration: StoredConfiguration): ConfigurationDto => ({
  tag: configuration.tag,
  ...versionDto(configuration),
  text: configuration.text ?? '',
});

function collectorDto({ collector, tags, version, state, asks }: ConfiguredCollector): CollectorConfigurationDto {
  const running = state?.running ?? '';
  const isRefused = version !== '' && state?.refused === version && running !== version;
  const standing = running === version ? 'current' : isRefused ? 'refused' : 'waiting';
  return {
    device_name: collector.deviceName,
    tags: [...tags],
    version,
    running,
    state: asks ? standing : 'off',
    reason: isRefused ? (state?.reason ?? '') : '',
  };
}
