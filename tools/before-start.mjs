/** Before `npm start` compiles: that takes a while and says nothing. */
import { existsSync } from 'node:fs';

if (!existsSync('node_modules/typescript')) {
  console.error('Nothing is installed yet: npm ci');
  process.exit(1);
}
console.log('Compiling. The first time that takes a minute.');
