import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** As text, since a thread cannot run TypeScript, and its file would have to be found in every way of building. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const jsonata = require(workerData.jsonata);
parentPort.on('message', async ({ text, options, input }) => {
  try {
    const result = await jsonata(text, options).evaluate(input);
    parentPort.postMessage({ result: JSON.stringify(result) });
  } catch (error) {
    parentPort.postMessage({ error: String(error.message) });
  }
});`;

/** What a thread needs to begin, ms: its mapping is stopped by JSONata itself before. */
const GRACE = 1_000;

interface Job {
  readonly text: string;
  readonly options: { readonly timeout: number; readonly stack: number };
  readonly input: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread for expressions that may hold it up for ever, as a regular expression that backtracks does: nothing but the end
 * of the thread stops that. One expression at a time; without any the thread keeps no process alive.
 */
export class MappingThread {
  private readonly waiting: Job[] = [];
  private worker: Worker | undefined;
  private job: Job | undefined;
  private timer: NodeJS.Timeout | undefined;

  evaluate(text: string, options: Job['options'], input: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ text, options, input, resolve, reject });
      this.next();
    });
  }

  private next(): void {
    if (this.job) return;
    this.job = this.waiting.shift();
    if (!this.job) return this.worker?.unref();
    const { text, options, input } = this.job;
    this.worker ??= this.start();
    this.worker.ref();
    this.timer = setTimeout(() => {
      this.drop();
      this.end((job) => job.reject(new Error(`takes longer than ${options.timeout / 1_000} s`)));
    }, options.timeout + GRACE);
    this.worker.postMessage({ text, options, input });
  }

  private start(): Worker {
    const jsonata = createRequire(import.meta.url).resolve('jsonata');
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { jsonata },
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    worker.on('message', ({ result, error }: { result?: string; error?: string }) => {
      this.end((job) => {
        if (error === undefined) job.resolve(result === undefined ? undefined : JSON.parse(result));
        else job.reject(new Error(error));
      });
    });
    worker.on('error', (error) => {
      if (this.worker !== worker) return;
      this.drop();
      this.end((job) => job.reject(error));
    });
    return worker;
  }

  private drop(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }

  private end(answer: (job: Job) => void): void {
    clearTimeout(this.timer);
    const { job } = this;
    this.job = undefined;
    if (job) answer(job);
    this.next();
  }
}
