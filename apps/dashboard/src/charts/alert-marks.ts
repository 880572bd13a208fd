import type uPlot from 'uplot';
import type { AlertMarks } from '../data/alert-marks.js';
import type { Formatter } from '../units.js';
import { faded, type currentColours } from './colours.js';

type Colours = ReturnType<typeof currentColours>;

/** A level that lies so far outside of what is drawn, as a share of its height, is still shown. */
const NEAR = 0.6;

/** The ends of the value axis, made wider for levels that are near. */
export function withLevels([low, high]: [number, number], { levels }: AlertMarks): [number, number] {
  const room = (high - low) * NEAR;
  const near = levels.map(({ value }) => value).filter((value) => value >= low - room && value <= high + room);
  const margin = (high - low) * 0.05;
  const over = near.filter((value) => value > high).map((value) => value + margin);
  const under = near.filter((value) => value < low).map((value) => value - margin);
  return [Math.min(low, ...under), Math.max(high, ...over)];
}

const colourOf = (severity: string, colours: Colours): string =>
  severity === 'critical' ? colours.bad : severity === 'warning' ? colours.warn : colours.soft;

/** A wash behind the times in which a rule alerted, with a bar at the top. */
export function markEpisodes(plot: uPlot, { episodes }: AlertMarks, colours: Colours): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { start, end, severity } of episodes) {
    const left = Math.max(bbox.left, plot.valToPos(start, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(end, 'x', true));
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    const colour = colourOf(severity, colours);
    const width = Math.max(devicePixelRatio, right - left);
    ctx.fillStyle = faded(colour, 0.1);
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.fillStyle = colour;
    ctx.fillRect(left, bbox.top, width, 3 * devicePixelRatio);
  }
  ctx.restore();
}

/** A dashed line across the drawing at each level, with the name of its rule. */
export function markLevels(plot: uPlot, { levels }: AlertMarks, format: Formatter, colours: Colours): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.lineWidth = devicePixelRatio;
  for (const { rule, value, severity } of levels) {
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    const colour = colourOf(severity, colours);
    ctx.strokeStyle = colour;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colour;
    const isHigh = y - bbox.top < 14 * devicePixelRatio;
    ctx.textBaseline = isHigh ? 'top' : 'bottom';
    const distance = 2 * devicePixelRatio * (isHigh ? 1 : -1);
    ctx.fillText(`${rule} ${format(value)}`, bbox.left + 5 * devicePixelRatio, y + distance);
  }
  ctx.restore();
}
