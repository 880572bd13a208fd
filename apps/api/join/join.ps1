# Makes this PC a device of @URL@. NOT TRIED: nobody has run this on Windows yet.
#   powershell -ExecutionPolicy Bypass -File join.ps1 CODE
#   powershell -ExecutionPolicy Bypass -File join.ps1 -Uninstall
param([string]$Code, [switch]$DryRun, [switch]$Uninstall, [switch]$KeepData)
$ErrorActionPreference = 'Stop'

$Api = '@URL@'
$Packages = '@PACKAGES@'
$Target = Join-Path $env:ProgramFiles 'Device Metrics'
$Data = Join-Path $env:ProgramData 'Device Metrics'
$Task = 'Device Metrics collector'

if ($Uninstall) {
  Stop-ScheduledTask -TaskName $Task -ErrorAction SilentlyContinue
  Unregister-ScheduledTask -TaskName $Task -Confirm:$false -ErrorAction SilentlyContinue
  Remove-Item -Recurse -Force $Target -ErrorAction SilentlyContinue
  if (-not $KeepData) { Remove-Item -Recurse -Force $Data -ErrorAction SilentlyContinue }
  'Device Metrics is removed'
  exit 0
}

$Architecture = if ($env:PROCESSOR_ARCHITECTURE -eq 'ARM64') { 'arm64' } else { 'x64' }
$Line = $Packages -split "`n" | Where-Object { $_ -like "win32 $Architecture *" } | Select-Object -Last 1
if (-not $Line) { throw "$Api has no package for Windows on $Architecture" }
if (-not $Code) { throw 'A code is missing: the page of the api makes one, or device-metrics api invite' }
$Version, $Sha256, $Size, $Name = ($Line -split ' ')[2..5]
"This PC becomes a device of ${Api}: $Name goes to $Target, its data to $Data, and a scheduled task runs it from each start on."
if ($DryRun) { exit 0 }

# Free again once this one has ended, however it does.
try {
  $Lock = [IO.File]::Open((Join-Path $env:ProgramData 'device-metrics-join.lock'), 'OpenOrCreate', 'ReadWrite', 'None')
} catch [IO.IOException] {
  throw 'Another join.ps1 is at work on this PC: wait until it has ended. Nothing was changed'
}
$Work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory $Work | Out-Null
try {
  Invoke-WebRequest "$Api/api/v1/packages/$Name" -OutFile "$Work\$Name" -UseBasicParsing
  if ((Get-FileHash "$Work\$Name" -Algorithm SHA256).Hash -ne $Sha256) { throw 'What came is not the package. Nothing was changed' }
  tar.exe -xzf "$Work\$Name" -C $Work
  $Program = "$Work\device-metrics-collector\lib"
  New-Item -ItemType Directory -Force $Data | Out-Null
  $env:CREDENTIAL_PATH = "$Data\credential.json"
  & "$Program\node.exe" "$Program\apps\collector\dist\main.js" join $Api --code $Code
  if ($LASTEXITCODE -ne 0) { throw 'This PC has not joined. Nothing was installed' }
  Remove-Item -Recurse -Force $Target -ErrorAction SilentlyContinue
  Move-Item "$Work\device-metrics-collector" $Target
  "CREDENTIAL_PATH=$Data\credential.json`nSPOOL_PATH=$Data\spool.db" | Set-Content "$Data\.env"
  $Action = New-ScheduledTaskAction -Execute "$Target\lib\node.exe" -Argument "`"$Target\lib\apps\collector\dist\main.js`"" -WorkingDirectory $Data
  $Settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit 0
  Register-ScheduledTask -TaskName $Task -Action $Action -Trigger (New-ScheduledTaskTrigger -AtStartup) -User 'LOCAL SERVICE' -Settings $Settings -Force | Out-Null
  Start-ScheduledTask -TaskName $Task
  "Device Metrics $Version is installed and runs"
} finally {
  Remove-Item -Recurse -Force $Work -ErrorAction SilentlyContinue
  $Lock.Dispose()
}
