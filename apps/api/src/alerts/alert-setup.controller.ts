import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@device-metrics/contract/openapi';
import { parseDuration, quote, reasonOf, toRfc3339, visibleRule } from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { currentCaller } from '../access/caller.js';
import { Audited } from '../access/audit/audited.js';
import { Needs } from '../access/needs.js';
import { assertWholeSite } from '../access/whole-site.js';
import { assertAsRead, changed, entityTag, HeedsTag, isConditional } from '../http/entity-tag.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { invalidInput, Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { readAlertsText, type AlertsFile } from './alerts-file.js';
import { Alerts } from './alerts.js';
import { AlertSetupDto, AlertSetupsDto, ChannelTypesDto, ImportDto, ImportedDto } from './alerts.dto.js';
import { mistakesAsProblem, problemOfMistakes } from './mistakes.js';
import { ChannelError } from './notify/channel.js';
import { CHANNEL_TYPES } from './notify/channels.js';
import { shownChannel, shownUnusable, withSecrets, type Channel } from './notify/read-channel.js';
import type { Document, Known, Registry, Unusable } from './registry.js';
import type { Mistake } from './reader.js';
import type { Rule } from './rules/rule.js';
import type { Maintenance, Route, Silence } from './telling/config.js';
import { unknownChannels } from './telling/unknown-channels.js';

const KINDS = ['rules', 'channels', 'routes', 'silences', 'maintenance', 'dependencies'] as const;
type Kind = (typeof KINDS)[number];

const KIND = { name: 'kind', enum: KINDS, example: 'rules' };
const NAME = { name: 'name', example: 'File system almost full' };
const NOT_THERE = { 'unknown-alert-setup': 'There is no rule "Too hot" in the database.' };
const READ_ONLY = { 'read-only': 'rule "Too hot" is of ALERTS_FILE, which alone changes it.' };
const IN_USE = { 'in-use': 'The channel "mail" is named by the routes "critical": change those first.' };

/** What people set up: rules, channels, routes, silences, maintenance windows, dependencies. */
@ApiTags('alerts')
@Controller('api/v1/alerts')
export class AlertSetupController {
  constructor(
    @Inject(Alerts) private readonly alerts: Alerts,
    @Inject(SAMPLE_STORE) private readonly store: Store,
  ) {}

  @Get('channel-types')
  @Needs('reports:read')
  @ApiOperation({ summary: 'The types of channels, and what each takes' })
  @ApiOkResponse({ type: ChannelTypesDto })
  @ApiProblems(NO_PARAMETERS)
  channelTypes(@Query() _query: NoQuery): ChannelTypesDto {
    return {
      types: CHANNEL_TYPES.map(({ type, documentation, fields }) => ({ type, documentation, fields: { ...fields } })),
    };
  }

  @Get('export')
  @Needs('alerts:write')
  @Header('content-type', 'application/yaml; charset=utf-8')
  @ApiOperation({
    summary: 'Export: what was set up, as a file for ALERTS_FILE or for an import',
    description: 'Secrets are left out: in their place stand `${ALERTS_…}` or stars.',
  })
  @ApiOkResponse({
    content: { 'application/yaml': { schema: { type: 'string' }, example: 'rules:\n  - name: Too hot\n' } },
  })
  @ApiProblems(NO_PARAMETERS)
  async export(@Query() _query: NoQuery): Promise<string> {
    assertWholeSite('Rules and channels');
    const { rules, routes, maintenance, dependencies, channels } = this.alerts;
    const own = (registry: Registry<unknown>): Document[] =>
      registry.list().flatMap(({ document, origin }) => (origin === 'default' ? [] : [document]));
    const file: AlertsFile = {
      rules: own(rules),
      channels: channels.values().map(shownChannel),
      routes: own(routes),
      maintenance: own(maintenance),
      dependencies: own(dependencies),
    };
    const { stringify } = await import('yaml');
    return stringify(Object.fromEntries(Object.entries(file).filter(([, list]) => (list as unknown[]).length > 0)));
  }

  @Post('import')
  @HttpCode(200)
  @Needs('alerts:write')
  @Audited('alert-setup.import')
  @ApiOperation({
    summary: 'Import: writes what a file has in place of what has the same names; all of it, or nothing',
  })
  @ApiOkResponse({ type: ImportedDto })
  @ApiProblems({ ...BAD_BODY, ...READ_ONLY, 400: 'rules[2].condition.above must be a number, got "hot"' })
  async import(@Body() { text }: ImportDto, @Query() _query: NoQuery): Promise<ImportedDto> {
    assertWholeSite('Rules and channels');
    const file = await readAlertsText(text).catch((error: unknown) => {
      throw problemOfMistakes(error);
    });
    this.assertChannels(file);
    let written = 0;
    const sections = Object.entries(file) as [Kind, readonly Document[]][];
    for (const [kind, documents] of sections) {
      for (const [index, { name }] of documents.entries()) {
        this.assertWritable(kind, String(name));
        this.assertVisible(kind, String(name), `${kind}[${index}].name`);
      }
    }
    for (const [kind, documents] of sections) {
      const registry = this.registryOf(kind);
      const whole = documents.map((one) => withSecrets(one, registry.documentOf(String(one['name']))));
      if (whole.length > 0) await registry.put(whole, Date.now());
      written += whole.length;
    }
    return { written };
  }

  @Post('channels/:name/test')
  @HttpCode(204)
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Test: sends a message to a channel at once' })
  @ApiParam({ name: 'name', example: 'mail' })
  @ApiNoContentResponse({ description: 'The receiver has taken it.' })
  @ApiProblems({
    ...NO_PARAMETERS,
    'unknown-alert-setup': 'There is no channel "mail".',
    'channel-failed': 'The message was not taken: smtp.example.org: 535 authentication failed',
  })
  async test(@Param('name') name: string, @Query() _query: NoQuery): Promise<void> {
    assertWholeSite('Rules and channels');
    const channel = this.alerts.channels.get(name);
    if (!channel) {
      const unusable = this.alerts.channels.unusable().find((one) => one.name === name);
      if (unusable)
        throw new Problem('channel-failed', `The channel ${quote(name)} cannot be used: ${unusable.reason}`);
      throw new Problem('unknown-alert-setup', `There is no channel ${quote(name)}.`);
    }
    try {
      await this.alerts.test(channel.value);
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      throw new Problem('channel-failed', `The message was not taken: ${reasonOf(error)}`);
    }
  }

  @Get(':kind')
  @Needs('reports:read')
  @ApiOperation({
    summary: 'What is set up: rules, channels, routes, silences, maintenance windows or dependencies',
    description: 'Who is limited to some devices sees the rules alone, without those that name other devices.',
  })
  @ApiParam(KIND)
  @ApiOkResponse({ type: AlertSetupsDto })
  @ApiProblems({
    ...NO_PARAMETERS,
    'unknown-address': 'There is no GET /api/v1/alerts/rule; /docs lists what there is.',
  })
  async list(@Param('kind') kind: string, @Query() _query: NoQuery): Promise<AlertSetupsDto> {
    const registry = this.registryOf(kind);
    if (currentCaller()) {
      return { items: kind === 'rules' ? (await this.ofOwnDevices()).map((known) => this.dto(known)) : [] };
    }
    const unusable = registry.unusable().map((one) => unusableDto(one, kind as Kind));
    const names = new Set(unusable.map(({ name }) => name));
    const usable = registry.list().filter(({ name }) => !names.has(name));
    const items = [...usable.map((known) => this.dto(known)), ...unusable];
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  /** The rules that name no device that the caller does not see. */
  private async ofOwnDevices(): Promise<readonly Known<Rule>[]> {
    const seen = new Set((await this.store.devices()).map(({ name }) => name));
    const namesOf = ({ select }: Document): unknown[] => [(select as Document | undefined)?.['device'] ?? []].flat();
    return this.alerts.rules.list().filter(({ document }) => namesOf(document).every((name) => seen.has(String(name))));
  }

  @Put(':kind/:name')
  @Needs('alerts:write')
  @Audited('alert-setup.put')
  @HeedsTag()
  @ApiOperation({
    summary: 'Set up a rule, channel, route, silence, maintenance window or dependency',
    description:
      'In place of what has the name, or with `If-None-Match: *` only where nothing has it. docs/alerts.md describes each. A secret that ' +
      'comes as stars stays.',
  })
  @ApiParam(KIND)
  @ApiParam(NAME)
  @ApiBody({
    schema: {
      type: 'object',
      additionalProperties: true,
      example: { select: { metric: 'system.filesystem.utilization' }, condition: { above: 0.9 }, for: '5m' },
    },
  })
  @ApiOkResponse({ type: AlertSetupDto })
  @ApiProblems({
    ...BAD_BODY,
    ...READ_ONLY,
    400: 'condition.above must be a number, got "hot"',
    404: 'There is no such kind.',
  })
  async put(
    @Param('kind') kind: string,
    @Param('name') name: string,
    @Body() body: unknown,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<AlertSetupDto> {
    assertWholeSite('Rules and channels');
    const registry = this.registryOf(kind);
    this.assertWritable(kind as Kind, name);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new Problem('unreadable-body', `The body must be a JSON object, got ${quote(body)}.`);
    }
    const given = body as Document;
    if (given['name'] !== undefined && given['name'] !== name) {
      throw invalidInput([
        { field: 'name', reason: `must be left out or the name in the path, got ${quote(given['name'])}` },
      ]);
    }
    const now = Date.now();
    this.assertVisible(kind as Kind, name, 'name');
    await this.assertAsRead(request, registry, kind as Kind, name);
    const before = registry.documentOf(name);
    const document = atNow(withSecrets({ ...given, name }, before), kind as Kind, now, request.caller.name);
    const value = mistakesAsProblem(() => registry.parse(document));
    if (kind === 'routes') assertNone(this.alerts.unknownChannelsOf(value as Route));
    if (kind === 'silences' || kind === 'maintenance') {
      assertNone(pastEnd(value as Silence | Maintenance, given, document, now));
    }
    if (!isConditional(request)) await registry.put([document], now);
    else if (!(await registry.replace(document, now))) throw changed();
    return this.dto(registry.get(name) as Known<unknown>);
  }

  @Delete(':kind/:name')
  @HttpCode(204)
  @Needs('alerts:write')
  @Audited('alert-setup.delete')
  @HeedsTag()
  @ApiOperation({ summary: 'Delete what was set up; a default rule holds again as it was' })
  @ApiParam(KIND)
  @ApiParam(NAME)
  @ApiNoContentResponse({ description: 'It is gone.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NOT_THERE, ...READ_ONLY, ...IN_USE })
  async delete(
    @Param('kind') kind: string,
    @Param('name') name: string,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    assertWholeSite('Rules and channels');
    const registry = this.registryOf(kind);
    this.assertWritable(kind as Kind, name);
    await this.assertAsRead(request, registry, kind as Kind, name);
    if (kind === 'channels') this.assertUnused(name);
    if (await registry.remove(name)) return;
    throw new Problem(
      'unknown-alert-setup',
      `There is no ${quote(name)} in the database; a default can only be switched off.`,
    );
  }

  private registryOf(kind: string): Registry<unknown> {
    if (KINDS.some((one) => one === kind)) return this.alerts[kind as Kind];
    throw new Problem('unknown-address', `There is no ${quote(kind)} of alerts; there are ${KINDS.join(', ')}.`);
  }

  /** @throws Problem where another one is there than the caller has read, also by another process. */
  private async assertAsRead(
    request: FastifyRequest,
    registry: Registry<unknown>,
    kind: Kind,
    name: string,
  ): Promise<void> {
    if (!isConditional(request)) return;
    await registry.reload();
    const unusable = registry.unusable().find((one) => one.name === name);
    const known = registry.get(name);
    assertAsRead(request, (unusable ? unusableDto(unusable, kind) : known && this.dto(known))?.etag);
  }

  private assertWritable(kind: Kind, name: string): void {
    if (this.alerts[kind].get(name)?.origin !== 'file') return;
    throw new Problem('read-only', `${quote(name)} is of ALERTS_FILE, which alone changes it.`);
  }

  /** What is there already keeps its name, so that it can be changed. */
  private assertVisible(kind: Kind, name: string, field: string): void {
    const reason = this.alerts[kind].documentOf(name) === undefined ? visibleRule(name) : undefined;
    if (reason !== undefined) throw invalidInput([{ field, reason }]);
  }

  /** A route that is imported may name a channel that comes with it. */
  private assertChannels({ routes, channels }: AlertsFile): void {
    const known = [...this.alerts.channelNames(), ...channels.map(({ name }) => String(name))];
    assertNone(
      routes.flatMap((route, index) =>
        unknownChannels(this.alerts.routes.parse(route), known).map(({ field, reason }) => ({
          field: `routes[${index}].${field}`,
          reason,
        })),
      ),
    );
  }

  /** Who is told by a route is not to be told by nobody. */
  private assertUnused(channel: string): void {
    const routes = this.alerts.routes
      .list()
      .filter(({ value: { channels, escalate } }) => [...channels, ...(escalate?.channels ?? [])].includes(channel));
    if (routes.length === 0) return;
    const names = routes.map(({ name }) => quote(name)).join(', ');
    throw new Problem('in-use', `The channel ${quote(channel)} is named by the routes ${names}: change those first.`);
  }

  private dto({ name, origin, document, value }: Known<unknown>): AlertSetupDto {
    const isChannel = this.alerts.channels.get(name)?.value === value;
    const isRoute = this.alerts.routes.get(name)?.value === value;
    const failure = isChannel
      ? this.alerts.failureOf(name)
      : isRoute && this.alerts.unknownChannelsOf(value as Route).at(0)?.reason;
    const shown = { ...(isChannel ? shownChannel(value as Channel) : document) };
    return {
      name,
      origin,
      document: shown,
      ...(typeof failure === 'string' && { failure }),
      etag: entityTag([origin, shown]),
    };
  }
}

function unusableDto({ name, origin, document, reason }: Unusable, kind: Kind): AlertSetupDto {
  const shown = { ...(kind === 'channels' ? shownUnusable(document) : document) };
  return { name, origin, document: shown, failure: reason, unusable: true, etag: entityTag([origin, shown]) };
}

function assertNone(mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw invalidInput([...mistakes]);
}

/** What is wrong with a silence or a maintenance window that would be over as soon as it is saved. */
function pastEnd({ until }: Silence | Maintenance, given: Document, document: Document, now: number): Mistake[] {
  if (until > now) return [];
  const reason = `be later than now, ${toRfc3339(now)}, got ${quote(document['until'])}`;
  return [
    given['for'] === undefined
      ? { field: 'until', reason: `must ${reason}` }
      : { field: 'for', reason: `must end in the future: until must ${reason}` },
  ];
}

/** `for` counts from now on: what is kept says until when. */
function atNow(document: Document, kind: Kind, now: number, by: string): Document {
  if (kind !== 'silences' && kind !== 'maintenance') return document;
  const { for: length, ...rest } = document;
  const isOnce = rest['cron'] === undefined && rest['weekly'] === undefined;
  const named = { ...rest, by };
  if (!isOnce) return { ...named, ...(length !== undefined && { for: length }) };
  const from = kind === 'maintenance' && rest['from'] === undefined ? { from: toRfc3339(now) } : {};
  const duration = typeof length === 'string' ? parseDuration(length) : undefined;
  if (duration === undefined) return { ...named, ...from, ...(length !== undefined && { for: length }) };
  const begin = typeof rest['from'] === 'string' ? Date.parse(rest['from']) : now;
  return { ...named, ...from, until: toRfc3339(begin + duration) };
}
