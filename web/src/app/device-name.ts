/** What this device is called in the list of devices, such as "Chrome · Android". */
export function deviceName(agent = navigator.userAgent, touchPoints = navigator.maxTouchPoints): string {
  const first = (list: readonly (readonly [RegExp, string])[]) => list.find(([sign]) => sign.test(agent))?.[1];
  const browser = first([
    [/\bEdg(A|iOS)?\//, 'Edge'],
    [/\bOPR\//, 'Opera'],
    [/\bSamsungBrowser\//, 'Samsung Internet'],
    [/\b(Firefox|FxiOS)\//, 'Firefox'],
    [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
    [/\bSafari\//, 'Safari'],
  ]);
  // An iPad says that it is a Mac, but a Mac has no touch screen.
  const system =
    /Macintosh/.test(agent) && touchPoints > 1
      ? 'iPad'
      : first([
          [/iPhone/, 'iPhone'],
          [/iPad/, 'iPad'],
          [/Android/, 'Android'],
          [/Windows/, 'Windows'],
          [/Mac OS X/, 'Mac'],
          [/CrOS/, 'ChromeOS'],
          [/Linux/, 'Linux'],
        ]);
  return [browser, system].filter(Boolean).join(' · ') || 'Web';
}
