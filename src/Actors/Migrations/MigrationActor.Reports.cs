using Akka.Actor;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

// Verification at the end, and everything that is reported: samples, progress, the final report.
public sealed partial class MigrationActor
{
    private void VerifySome()
    {
        if (_core.IsOver || WaitsForDigests())
            return;
        if (_verifySlot == _slots.Count)
        {
            _core.Complete();
            AskFinalReports();
            return;
        }

        var slot = _slots[_verifySlot];
        var rest = new MemoryPageRange(
            slot.Pages.Start.Plus(_verifyPage),
            Math.Min(PagesAVerifySlice, slot.Range.Count - _verifyPage)
        );
        var found = new VerifyResult(0, 0, 0, null);
        for (ulong i = 0; i < rest.Count; i++)
        {
            var page = rest.Start.Plus(i);
            found = slot.Bitmap.IsSet(_verifyPage + i)
                ? found.Plus(new VerifyResult(0, 1, 0, null))
                : found.Plus(_verifier.Verify(new MemoryPageRange(page, 1)));
        }

        _verified = _verified?.Plus(found) ?? found;
        _verifyPage += rest.Count;
        if (_verifyPage == slot.Range.Count)
            (_verifySlot, _verifyPage) = (_verifySlot + 1, 0);
        Self.Tell(MigrationProtocol.VerifySome.Instance);
    }

    // The expected content of a remote image comes as digests from its source, which may be unreachable.
    private bool WaitsForDigests()
    {
        if (_plan.Content.Image is not RemoteImage { Digests.IsComplete: false })
        {
            if (_digestsAskedNs >= 0 && _core.Continue(Now))
                TellProgress();
            _digestsAskedNs = -1;
            return false;
        }

        if (_digestsAskedNs < 0)
            _digestsAskedNs = Now;
        if (Now - _digestsAskedNs > PatienceWithDigestsNs)
            Pause(PauseReasons.NotVerifiable);
        _plan.Time.TellAt(Now + LookForDigestsNs, Self, MigrationProtocol.VerifySome.Instance);
        return true;
    }

    private void AskFinalReports()
    {
        // Waits for a sample in progress: its reports must not be mistaken for the final ones.
        _wantsFinal = true;
        if (_final is not null || _sample is not null)
            return;
        _final = new ReportCollector();
        if (_vm.IsNobody())
        {
            // Stopped before its start: there is no VM to ask, and none of its pages is in place.
            _pages = _missingPages = _plan.Regions.Aggregate(0UL, static (sum, region) => sum + region.Count);
            _final.Take(new VmProtocol.ReportsComing(Vcpus: 0, Slots: 0));
        }
        else
        {
            _vm.Tell(VmProtocol.GetReports.Instance);
        }

        _fetchers.Tell(FetcherPoolProtocol.GetReports.Instance);
    }

    private bool OnReport(object message)
    {
        if (_final is not null)
        {
            if (!_final.Take(message))
                return false;
            if (!_isReported && _final.IsComplete)
            {
                foreach (var slot in _final.Slots.Where(IsOwn))
                    SetMissing(slot.Id, slot.Missing);
                _isReported = true;
                _observer.Tell(Report(_final));
            }

            return true;
        }

        if (_sample is null || !_sample.Take(message))
            return false;
        if (_sample.IsComplete)
        {
            var sample = _sample;
            _sample = null;
            _sampleTookNs = Now - _sampleAskedNs;
            OnSample(sample);
            if (_wantsFinal)
                AskFinalReports();
        }

        return true;
    }

    // Slots may be created in the VM by others as well, such as for a hot-plugged device.
    private bool IsOwn(SlotReport slot) => _missing.ContainsKey(slot.Id);

    private void OnSample(ReportCollector sample)
    {
        foreach (var slot in sample.Slots.Where(IsOwn))
            SetMissing(slot.Id, Math.Min(_missing[slot.Id], slot.Missing));
        _timeline.Add(Sample(sample));
        Thin(_timeline);
        if (_plan.Settings.ProgressNs <= 0 || Now < _nextProgressNs || !IsWorthTelling)
            return;
        _nextProgressNs = Now + _plan.Settings.ProgressNs;
        _lastProgress = Progress(sample);
        _lastProgressNs = Now;
        _observer.Tell(_lastProgress);
    }

    // Before the first page there is no rate: the first progress waits for it, but not for longer than an interval.
    private bool IsWorthTelling =>
        _lastProgress is not null || _missingPages < _pages || _core.ElapsedNs(Now) >= _plan.Settings.ProgressNs;

    private TimelineSample Sample(ReportCollector reports)
    {
        var work = reports.SlotWork();
        return new TimelineSample(
            _core.ElapsedNs(Now),
            _pages - _missingPages,
            work.UserfaultExits + work.UffdSleeps,
            reports.Slots.Sum(s => s.Waiting),
            Strip()
        );
    }

    // A long run keeps as many samples as a short one: when there are too many, every second one is removed.
    private static void Thin(List<TimelineSample> timeline)
    {
        const int most = 400;
        if (timeline.Count <= most)
            return;
        for (var i = timeline.Count - 2; i > 0; i -= 2)
            timeline.RemoveAt(i);
    }

    private void TellProgress() => _observer.Tell(Progress(null));

    private MigrationProgress Progress(ReportCollector? sample)
    {
        var present = _pages - _missingPages;
        var seconds = (Now - _lastProgressNs) / 1e9;
        var last = _lastProgress;
        var latency = sample?.Latency();
        var work = sample?.SlotWork();
        return new MigrationProgress(
            _core.State,
            _core.Reason,
            _core.ElapsedNs(Now),
            present,
            _pages,
            sample is null || seconds <= 0
                ? last?.PagesPerSecond ?? 0
                : (present - (last?.PagesPresent ?? 0)) / seconds,
            work is null ? last?.Faults ?? 0 : work.UserfaultExits + work.UffdSleeps,
            sample?.Slots.Sum(s => s.Waiting) ?? last?.WaitingVcpus ?? 0,
            _core.FinishedVcpus,
            latency?.PercentileNs(50) ?? last?.P50Ns ?? 0,
            latency?.PercentileNs(99) ?? last?.P99Ns ?? 0,
            Strip()
        );
    }

    private MigrationReport Report(ReportCollector reports)
    {
        _timeline.Add(Sample(reports));
        return new MigrationReport
        {
            State = _core.State,
            Reason =
                _core.Reason ?? (_wrongHostReads > 0 ? $"{_wrongHostReads} host accesses read wrong content" : null),
            Settings = _plan.Settings,
            Image = _plan.Content.Image.Name,
            Workload = _plan.Workload.Name,
            Pages = _pages,
            PagesPresent = _pages - _missingPages,
            CompletionNs = _core.CompletionNs,
            GuestNs = _core.GuestNs,
            ElapsedNs = _core.ElapsedNs(Now),
            Pauses = _core.Pauses,
            Slots = reports.SlotWork(),
            Fetches = reports.FetcherWork(),
            Fetchers = reports.Fetchers,
            Vcpus = reports.Vcpus,
            Latency = reports.Latency(),
            Verification = _verified,
            ChecksReads = _plan.Content.ChecksReads,
            IsByDigests = _plan.Content.Image is RemoteImage,
            LateWrongReads = (_plan.Content.Image as RemoteImage)?.Digests.WrongReads ?? 0,
            Timeline = _timeline,
            WorkingSet = _plan.RecordsWorkingSet ? _recorder.ToWorkingSet(_plan.Content.Image) : null,
        };
    }

    private byte[] Strip() => BitmapStrip.Of([.. _slots.Select(s => s.Bitmap)], _plan.Settings.StripCells);

    // The sums are kept, not made anew: this is called for each of tens of thousands of slots.
    private void SetMissing(SlotId slot, ulong missing)
    {
        _missingPages += missing - _missing.GetValueOrDefault(slot);
        _missing[slot] = missing;
    }
}
