document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  // biome-ignore lint/suspicious/noConsole: it is how the test hears of it
  console.error(`against the policy: ${violatedDirective} ${blockedURI}`),
);
