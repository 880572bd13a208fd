import { expect, it } from '@jest/globals';
import { fields } from './csv.js';

it('quotes what RFC 4180 asks to quote, and takes the force out of formulas', () => {
  expect(fields(['plain', 'a,b', 'say "hi"', 'two\nlines', ''])).toBe('plain,"a,b","say ""hi""","two\nlines",');
  expect(fields(['=1+1', '@SUM(A1)', '-2', '+3', 'a=b'])).toBe("'=1+1,'@SUM(A1),'-2,'+3,a=b");
});
