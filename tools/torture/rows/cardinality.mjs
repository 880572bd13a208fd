import { assert, get, post, startApi, watching } from '../kit.mjs';

export const name = 'Very many series of one device';
export const measures = true;

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'), { QUERY_MAX_SAMPLES: '50000000' });
  const wanted = short ? 20_000 : 130_000;
  let refused = '';
  let made = 0;
  for (; made < wanted && refused === ''; made += 5_000) {
    const items = Array.from({ length: 5_000 }, (_, index) => ({
      device_name: 'pc-1',
      metric_name: 'm',
      value: index,
      labels: { n: String(made + index) },
    }));
    const answer = await post(api.url, items);
    if (answer.status !== 200) refused = `${answer.status} ${answer.body.slice(0, 200)}`;
    else if (JSON.parse(answer.body).rejected.length > 0) refused = JSON.parse(answer.body).rejected[0].reason;
  }
  const statuses = {};
  const seen = await watching(api, async () => {
    for (const path of [
      '/api/v1/devices',
      '/api/v1/devices/pc-1',
      '/api/v1/reports/summary',
      '/api/v1/reports/latest',
    ]) {
      const { status, took } = await get(api.url, path);
      statuses[path] = `${status} in ${Math.round(took)} ms`;
      assert(status < 500, `${path} answers ${status}`);
    }
  });
  await api.stop();
  return `${made} series${refused && `, then ${refused}`}; ${Object.entries(statuses)
    .map(([path, what]) => `${path} ${what}`)
    .join(', ')}; others worst ${seen.worst} ms`;
}
