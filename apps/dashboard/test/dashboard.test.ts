import { afterAll, beforeAll, describe } from '@jest/globals';
import { alerts } from './alerts.js';
import { describeInBrowser } from './browser.js';
import { device } from './device.js';
import { emptyHome, home } from './home.js';
import { pages } from './pages.js';
import { Stage } from './stage.js';

// One browser and one api with one fleet serve all of these: to start them takes longer than most tests.
describeInBrowser('the dashboard', () => {
  const stage = new Stage();
  beforeAll(() => stage.start());
  afterAll(() => stage.close());

  describe('the page of all devices, at first,', () => emptyHome(stage));
  describe('with a fleet', () => {
    beforeAll(() => stage.fill());

    describe('the page of all devices', () => home(stage));
    describe('the page of one device', () => device(stage));
    describe('alerts', () => alerts(stage));
    describe('every page', () => pages(stage));
  });
});
