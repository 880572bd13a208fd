/** Prints its arguments: what follows takes a while and says nothing. */
console.log(process.argv.slice(2).join(' '));
