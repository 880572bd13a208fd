import { CopyLine } from '../../parts/copy-line.js';
import { collectorCommand } from './add-device.js';

/** What the first page says before there is any device. */
export function FirstSteps() {
  const origin = window.location.origin;
  const sample = `curl ${origin}/api/v1/aggregator/metrics/ -H 'content-type: application/json' -d '{"device_name": "lab-pc-1", "metric_name": "system.cpu.utilization", "value": 0.42, "unit": "1"}'`;
  return (
    <div className="panel first-steps">
      <h1>No data yet</h1>
      <p>This page shows a device as soon as its first sample is here; there is no need to load it again.</p>
      <section>
        <h2>Collect from a PC</h2>
        <p className="soft">In the folder of Device Metrics on that PC, with Node installed:</p>
        <CopyLine text={collectorCommand(origin)} label="Command that starts a collector" />
      </section>
      <section>
        <h2>Or send one sample</h2>
        <CopyLine text={sample} label="Command that sends a sample" />
      </section>
      <p>
        <a href="/docs">All calls of the api</a>
      </p>
    </div>
  );
}
