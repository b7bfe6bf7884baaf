using System.Xml;

namespace Userfault.Cli;

/// <summary>The name of the domain in libvirt's XML, in front of a stream of <c>virsh save</c>.</summary>
internal static class QemuInfoDomain
{
    /// <summary>The name, printable; null where the XML has none, or is none.</summary>
    public static string? NameIn(string xml)
    {
        if (xml.Length == 0)
            return null;
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), settings);
            while (reader.Read())
            {
                // A child of the domain: devices and networks have names as well, further inside.
                if (reader is { NodeType: XmlNodeType.Element, Depth: 1, LocalName: "name" })
                    return string.Concat(reader.ReadElementContentAsString().Select(c => char.IsControl(c) ? '?' : c));
            }
        }
        catch (XmlException)
        {
            // The name is for people; the guest does not depend on it.
        }
        return null;
    }
}
