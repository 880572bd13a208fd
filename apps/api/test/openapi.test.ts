import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const API = join(import.meta.dirname, '..');
let document: any;
let folder: string[];

beforeAll(async () => {
  const empty = await mkdtemp(join(tmpdir(), 'openapi-'));
  await promisify(execFile)(process.execPath, [join(API, 'dist/write-openapi.js')], { cwd: empty });
  folder = await readdir(empty);
  await rm(empty, { recursive: true });
  document = JSON.parse(await readFile(join(API, 'dist/openapi.json'), 'utf8'));
});

const operations = (): [string, any][] =>
  Object.entries<any>(document.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, operation]): [string, any] => [`${method} ${path}`, operation]),
  );

describe('openapi.json', () => {
  it('is the one that is agreed on; `npm run openapi` agrees to another', async () => {
    expect(document).toEqual(JSON.parse(await readFile(join(API, 'openapi.json'), 'utf8')));
  });

  it('is written without a database', () => {
    expect(folder).toEqual([]);
  });

  it('has one schema for each name', async () => {
    const files = (await readdir(join(API, 'src'), { recursive: true })).filter((file) => file.endsWith('.dto.ts'));
    const sources = await Promise.all(files.map((file) => readFile(join(API, 'src', file), 'utf8')));
    const names = sources.flatMap((source) => [...source.matchAll(/^export class (\w+)/gm)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('says of every call what it does, what it answers, and what it answers to mistakes', () => {
    for (const [name, { summary, tags, responses }] of operations()) {
      expect([name, summary, tags]).toEqual([name, expect.any(String), [expect.any(String)]]);
      const [success] = Object.keys(responses).filter((status) => /^[23]/.test(status));
      expect([name, success]).toEqual([name, expect.any(String)]);
      for (const [status, { content }] of Object.entries<any>(responses)) {
        if (status === '204' || status.startsWith('3')) continue;
        expect([name, status, content && Object.keys(content).length > 0]).toEqual([name, status, true]);
        if (!status.startsWith('2')) {
          expect(content['application/problem+json'].example).toMatchObject({ status: Number(status) });
        }
      }
    }
  });

  it('has every format of a report, and what each call refuses', () => {
    for (const path of ['reports/summary', 'reports/metrics/{device_name}']) {
      const { content } = document.paths[`/api/v1/${path}`].get.responses['200'];
      expect(Object.keys(content)).toEqual([
        'application/json',
        'text/csv',
        'application/x-ndjson',
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      ]);
    }
    const { get, patch } = document.paths['/api/v1/devices/{device_name}'];
    expect(Object.keys(get.responses)).toEqual(['200', '400', '401', '403', '404']);
    expect(Object.keys(patch.responses)).toEqual(['200', '400', '401', '403', '404', '409', '412', '413', '415']);
  });

  it('has an example or a default of every parameter', () => {
    for (const [name, { parameters = [] }] of operations()) {
      for (const parameter of parameters) {
        const { schema = {}, example } = parameter;
        // A cursor, an event id and a tag come from the answer before.
        if (['cursor', 'Last-Event-ID', 'If-Match'].includes(parameter.name)) continue;
        const known = example ?? schema.example ?? schema.default ?? schema.enum ?? schema.items?.enum;
        expect([name, parameter.name, known !== undefined]).toEqual([name, parameter.name, true]);
      }
    }
  });

  it('has an example of every field of every body and answer', () => {
    const missing: string[] = [];
    for (const [name, { properties = {} }] of Object.entries<any>(document.components.schemas)) {
      for (const [field, schema] of Object.entries<any>(properties)) {
        const nested = schema.$ref ?? schema.items?.$ref ?? schema.allOf;
        if (schema.example === undefined && !nested) missing.push(`${name}.${field}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
